//! Authentication by client certificates.

use std::process::Command;

use gateway_ckpt::pki::{Authority, Credential, Subject};
use http::StatusCode;
use rcgen::ExtendedKeyUsagePurpose;
use serde_json::json;

use super::WHOAMI;
use crate::support::World;
use crate::support::world::set;

#[tokio::test]
async fn a_certificate_names_user_and_groups_as_in_kubernetes() {
    let world = World::new().await;
    let credential = world.credentials.certificate("bob", &["responders"]);
    let identity = world.certified(&credential).get(WHOAMI).await.json();
    assert_eq!(
        (&identity["user"], &identity["groups"]),
        (&"bob".into(), &json!(["responders"]))
    );
    assert_eq!(identity["credential"], "client-certificate");
    assert!(
        identity["issuer"].as_str().unwrap().contains("client CA"),
        "{identity}"
    );
    let answer = world
        .certified(&credential)
        .post(crate::support::world::PATH)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "a group of the allow list");
}

#[tokio::test]
async fn every_organization_of_a_certificate_is_a_group() {
    let directory = tempfile::tempdir().unwrap();
    let [certificate, key] = ["bob.crt", "bob.key"].map(|name| directory.path().join(name));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
        ])
        .args([
            "-subj",
            "/O=responders/O=dev/CN=bob",
            "-addext",
            "extendedKeyUsage=clientAuth",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let trusted = certificate.to_str().unwrap().to_owned();
    let world = World::with(|config| set(config, "tls.client-ca", trusted)).await;
    let read = |path| std::fs::read_to_string(path).unwrap();
    let credential = Credential {
        certificate: read(&certificate),
        key: read(&key),
    };
    let identity = world.certified(&credential).get(WHOAMI).await.json();
    assert_eq!(
        (&identity["user"], &identity["groups"]),
        (&"bob".into(), &json!(["responders", "dev"])),
        "{identity}"
    );
}

#[tokio::test]
async fn a_uri_among_the_names_is_the_user() {
    let world = World::new().await;
    let spiffe = "spiffe://cluster.local/ns/forensics/sa/responder";
    let subject = Subject {
        uris: vec![spiffe.into()],
        ..Subject::client("bob", &["responders"])
    };
    let credential = world.credentials.clients.client(&subject).unwrap();
    let identity = world.certified(&credential).get(WHOAMI).await.json();
    assert_eq!(
        (&identity["user"], &identity["groups"]),
        (&spiffe.into(), &json!([]))
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_for_clients_proves_nobody() {
    let world = World::new().await;
    let nameless = Subject {
        name: None,
        ..Subject::client("", &["responders"])
    };
    let two = Subject {
        uris: vec!["spiffe://a/b".into(), "spiffe://a/c".into()],
        ..Subject::client("bob", &[])
    };
    for (name, subject) in [
        (
            "no extended key usage",
            Subject {
                usages: vec![],
                ..Subject::client("alice", &[])
            },
        ),
        ("no name", nameless),
        ("two names", two),
    ] {
        let credential = world.credentials.clients.client(&subject).unwrap();
        let answer = world.certified(&credential).get(WHOAMI).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, "unauthenticated"),
            "{name}"
        );
        let both = world
            .certified(&credential)
            .with_token(&world.credentials.token("alice"))
            .get(WHOAMI)
            .await;
        assert_eq!(
            both.status,
            StatusCode::UNAUTHORIZED,
            "a token does not make up for it: {name}"
        );
    }
}

#[tokio::test]
async fn an_invalid_certificate_fails_the_handshake() {
    let world = World::new().await;
    let stranger = Authority::new("stranger")
        .unwrap()
        .client(&Subject::client("alice", &[]))
        .unwrap();
    let expired = Subject {
        expired: true,
        ..Subject::client("alice", &[])
    };
    let server = Subject {
        usages: vec![ExtendedKeyUsagePurpose::ServerAuth],
        ..Subject::client("alice", &[])
    };
    for (name, credential) in [
        ("another CA", stranger),
        (
            "expired",
            world.credentials.clients.client(&expired).unwrap(),
        ),
        (
            "for servers",
            world.credentials.clients.client(&server).unwrap(),
        ),
    ] {
        let result = world
            .certified(&credential)
            .try_send(http::Method::GET, WHOAMI, bytes::Bytes::new())
            .await;
        assert!(result.is_err(), "{name}: {result:?}");
    }
    world
        .gateway
        .counted("checkpoint_gateway_tls_handshakes_failed_total", 3.0)
        .await;
}
