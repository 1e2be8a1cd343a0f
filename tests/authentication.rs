//! Authentication by tokens, by certificates and by both.

mod certificates;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway_ckpt::pki::{Credential, TokenIssuer};
use http::StatusCode;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::world::{ISSUER, claims};

const WHOAMI: &str = "/v1/whoami";

/// Changes that make valid claims invalid.
type Change = Box<dyn Fn(&mut Value)>;

async fn with_token(world: &World, token: &str) -> (u16, Value) {
    let answer = world.anonymous().with_token(token).get(WHOAMI).await;
    (answer.status.as_u16(), answer.json())
}

/// Good claims but for what `change` does to them.
async fn with_claims(world: &World, change: impl FnOnce(&mut Value)) -> (u16, Value) {
    let mut claims = claims("alice");
    change(&mut claims);
    with_token(world, &world.credentials.issuer.sign(claims).unwrap()).await
}

fn thumbprint(credential: &Credential) -> String {
    let der = CertificateDer::from_pem_slice(credential.certificate.as_bytes()).unwrap();
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &der))
}

#[tokio::test]
async fn a_token_names_the_user_and_their_groups() {
    let world = World::new().await;
    let (status, identity) = with_claims(&world, |claims| {
        claims["groups"] = json!(["responders", "dev"]);
    })
    .await;
    assert_eq!(status, 200, "{identity}");
    assert_eq!(
        (&identity["user"], &identity["groups"]),
        (&"alice".into(), &json!(["responders", "dev"]))
    );
    assert_eq!(
        (&identity["credential"], &identity["issuer"]),
        (&"bearer-token".into(), &ISSUER.into())
    );
    assert_eq!(identity["claims"]["sub"], "alice");
}

#[tokio::test]
async fn a_prefix_keeps_issuers_apart() {
    let world = World::with(|config| {
        let issuer = config["issuers"].as_array_mut().unwrap()[0]
            .as_table_mut()
            .unwrap();
        issuer.insert("user-prefix".into(), "oidc:".into());
        issuer.insert("groups-prefix".into(), "oidc:".into());
        issuer.insert("groups-claim".into(), "roles".into());
    })
    .await;
    let (_, identity) = with_claims(&world, |claims| claims["roles"] = json!("responders")).await;
    assert_eq!(
        (&identity["user"], &identity["groups"]),
        (&"oidc:alice".into(), &json!(["oidc:responders"]))
    );
}

#[tokio::test]
async fn a_token_whose_claims_do_not_hold_proves_nobody() {
    let world = World::new().await;
    let now = claims("alice")["iat"].as_u64().unwrap();
    let cases: [(&str, Change); 14] = [
        ("expired", Box::new(move |c| c["exp"] = json!(now - 3600))),
        (
            "no expiry",
            Box::new(|c| drop(c.as_object_mut().unwrap().remove("exp"))),
        ),
        (
            "an expiry that is no number",
            Box::new(|c| c["exp"] = json!("tomorrow")),
        ),
        (
            "not valid yet",
            Box::new(move |c| c["nbf"] = json!(now + 3600)),
        ),
        ("another audience", Box::new(|c| c["aud"] = json!("vault"))),
        (
            "no audience",
            Box::new(|c| drop(c.as_object_mut().unwrap().remove("aud"))),
        ),
        (
            "another issuer",
            Box::new(|c| c["iss"] = json!("https://issuer.example/")),
        ),
        (
            "an issuer that is a list",
            Box::new(|c| c["iss"] = json!([ISSUER])),
        ),
        (
            "no subject",
            Box::new(|c| drop(c.as_object_mut().unwrap().remove("sub"))),
        ),
        ("an empty subject", Box::new(|c| c["sub"] = json!(""))),
        (
            "a subject that is a list",
            Box::new(|c| c["sub"] = json!(["alice"])),
        ),
        (
            "a line end in the subject",
            Box::new(|c| c["sub"] = json!("alice\nadmin")),
        ),
        (
            "a group that is a number",
            Box::new(|c| c["groups"] = json!(["dev", 7])),
        ),
        (
            "a binding that cannot be checked",
            Box::new(|c| c["cnf"] = json!({ "jkt": "x" })),
        ),
    ];
    for (name, change) in cases {
        let (status, problem) = with_claims(&world, change).await;
        assert_eq!(
            (status, &problem["code"]),
            (401, &"unauthenticated".into()),
            "{name}: {problem}"
        );
    }
}

#[tokio::test]
async fn a_clock_may_be_off_by_the_leeway_and_no_more() {
    let world = World::new().await;
    let now = claims("alice")["iat"].as_u64().unwrap();
    assert_eq!(
        with_claims(&world, |c| c["exp"] = json!(now - 5)).await.0,
        200
    );
    assert_eq!(
        with_claims(&world, |c| c["exp"] = json!(now - 90)).await.0,
        401
    );
    assert_eq!(
        with_claims(&world, |c| c["nbf"] = json!(now + 5)).await.0,
        200
    );
    assert_eq!(
        with_claims(&world, |c| c["nbf"] = json!(now + 90)).await.0,
        401
    );
}

#[tokio::test]
async fn a_signature_that_does_not_hold_proves_nobody() {
    let world = World::new().await;
    let good = world.credentials.token("alice");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = TokenIssuer::new(ISSUER)
        .unwrap()
        .sign(claims("alice"))
        .unwrap();
    let forged = signed.split('.').next().unwrap().to_owned()
        + "."
        + &URL_SAFE_NO_PAD.encode(claims("root").to_string())
        + "."
        + signature;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut named = claims("alice");
    named["iss"] = json!(ISSUER);
    let payload = part(named);
    let unsigned = format!(
        "{}.{payload}.",
        part(json!({ "alg": "none", "typ": "JWT" }))
    );
    let symmetric = format!(
        "{}.{payload}.{signature}",
        part(json!({ "alg": "HS256", "kid": "1" }))
    );
    let critical = format!(
        "{}.{payload}.{signature}",
        part(json!({ "alg": "ES256", "kid": "1", "crit": ["exp"] }))
    );
    for (name, token) in [
        ("another key", other.as_str()),
        ("changed claims", &forged),
        ("no signature", &format!("{signed}.")),
        ("alg none", &unsigned),
        ("alg HS256", &symmetric),
        ("a critical extension", &critical),
        ("two parts", signed),
        ("no token", "x"),
        ("nothing", ""),
    ] {
        let (status, problem) = with_token(&world, token).await;
        assert_eq!(
            (status, &problem["code"]),
            (401, &"unauthenticated".into()),
            "{name}: {problem}"
        );
    }
    assert_eq!(with_token(&world, &good).await.0, 200);
}

#[tokio::test]
async fn the_challenge_tells_what_kind_of_credential_is_wanted() {
    let world = World::new().await;
    for (header, challenge) in [
        ("Bearer x.y.z", "Bearer error=\"invalid_token\""),
        ("Basic YTpi", "Bearer error=\"invalid_request\""),
        ("Bearer", "Bearer error=\"invalid_request\""),
    ] {
        let answer = world
            .anonymous()
            .with_header("authorization", header)
            .get(WHOAMI)
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("www-authenticate")),
            (401, challenge),
            "{header}"
        );
    }
    let twice = world
        .client("alice")
        .with_token(&world.credentials.token("root"));
    assert_eq!(
        twice.get(WHOAMI).await.status,
        StatusCode::UNAUTHORIZED,
        "two tokens are none"
    );
}

#[tokio::test]
async fn where_both_are_presented_the_token_names_the_caller() {
    let world = World::new().await;
    let credential = world.credentials.certificate("bob", &[]);
    let identity = world
        .certified(&credential)
        .with_token(&world.credentials.token("alice"))
        .get(WHOAMI)
        .await
        .json();
    assert_eq!(
        (&identity["user"], &identity["credential"]),
        (&"alice".into(), &"bearer-token".into())
    );
    let bad = world
        .certified(&credential)
        .with_token("x.y.z")
        .get(WHOAMI)
        .await;
    assert_eq!(
        bad.status,
        StatusCode::UNAUTHORIZED,
        "a certificate does not make up for a bad token"
    );
}

#[tokio::test]
async fn a_token_bound_to_a_certificate_counts_only_with_it() {
    let world = World::new().await;
    let (bobs, other) = (
        world.credentials.certificate("bob", &[]),
        world.credentials.certificate("eve", &[]),
    );
    let mut bound = claims("alice");
    bound["cnf"] = json!({ "x5t#S256": thumbprint(&bobs) });
    let token = world.credentials.issuer.sign(bound).unwrap();
    assert_eq!(
        world
            .certified(&bobs)
            .with_token(&token)
            .get(WHOAMI)
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        world
            .certified(&other)
            .with_token(&token)
            .get(WHOAMI)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        world
            .anonymous()
            .with_token(&token)
            .get(WHOAMI)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}
