//! The credentials in an archive: kinds, places, expiry and fingerprints, never a value.

use std::io::Cursor;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gateway_core::{Credential, CredentialReport};
use gateway_redact::{Audit, CredentialSettings, Fingerprint, Redaction, RedactionSettings, audit};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use serde_json::json;

use crate::plans::{hide_variables, redact};
use crate::specimen::{PAGE, Runtime, Specimen, tar};

/// Made up when the tests run, so that nothing that looks like a token stands in the repository.
fn token() -> String {
    format!("{}-{}", "glpat", "Xk29vQ_zLm4Tn8RbWc3Y")
}

fn jwt(claims: &serde_json::Value) -> String {
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({ "alg": "HS256", "typ": "JWT" }));
    format!(
        "{header}.{}.{}",
        part(claims),
        URL_SAFE_NO_PAD.encode([7; 32])
    )
}

fn specimen() -> Specimen {
    Specimen::new(vec!["PATH=/bin".to_owned()])
}

fn put(specimen: &mut Specimen, at: usize, bytes: &[u8]) {
    specimen.processes[1].heap[at..at + bytes.len()].copy_from_slice(bytes);
}

fn audit_of(archive: &[u8], fingerprint: Option<Fingerprint>) -> Audit {
    audit(
        &mut Cursor::new(archive),
        &mut tempfile::tempfile,
        fingerprint,
    )
    .unwrap()
}

fn found(specimen: &Specimen) -> CredentialReport {
    let [one, other] = [Runtime::Containerd, Runtime::CriO]
        .map(|runtime| audit_of(&specimen.archive(runtime), None).report);
    let kinds = |report: &CredentialReport| -> Vec<_> {
        let all = report.credentials.iter();
        all.map(|it| (it.kind.clone(), it.copies)).collect()
    };
    assert_eq!(kinds(&one), kinds(&other));
    one
}

fn only(report: &CredentialReport) -> &Credential {
    assert_eq!(report.credentials.len(), 1, "{report:?}");
    &report.credentials[0]
}

#[test]
fn nothing_is_found_in_a_clean_archive() {
    assert_eq!(found(&specimen()), CredentialReport::default());
}

#[test]
fn copies_of_a_token_are_one_credential_with_places() {
    let (mut specimen, token) = (specimen(), token());
    put(
        &mut specimen,
        3 * PAGE,
        format!(" {token} {token} ").as_bytes(),
    );
    specimen.log.extend(format!("token {token}\n").bytes());
    specimen
        .rootfs
        .push(("etc/app".to_owned(), format!("t={token}\n").into_bytes()));
    let report = found(&specimen);
    let credential = only(&report);
    assert_eq!(
        (credential.kind.as_str(), credential.copies),
        ("code-host-token", 4)
    );
    assert!(credential.product.as_deref().unwrap().contains("GitLab"));
    let places: Vec<_> = credential
        .places
        .iter()
        .map(|place| {
            (
                place.member.as_str(),
                place.process,
                place.file.as_deref(),
                place.copies,
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("checkpoint/pages-2.img", Some(17), None, 2),
            ("container.log", None, None, 1),
            ("rootfs-diff.tar", None, Some("etc/app"), 1),
        ]
    );
    assert!(!serde_json::to_string(&report).unwrap().contains(&token));
}

#[test]
fn a_variable_is_named_and_its_copies_counted() {
    let secret = "battery-staple-7";
    let mut specimen = Specimen::new(vec![format!("DB_PASSWORD={secret}"), "LANG=C".to_owned()]);
    put(&mut specimen, 5 * PAGE, STANDARD.encode(secret).as_bytes());
    let report = found(&specimen);
    let credential = only(&report);
    assert_eq!(credential.kind, "variable");
    assert_eq!(credential.name.as_deref(), Some("DB_PASSWORD"));
    assert_eq!(
        credential.copies, 4,
        "the specification, two environments and base64: {report:?}"
    );
    assert!(!format!("{report:?}").contains(secret));
}

#[test]
fn a_token_in_a_variable_is_told_by_its_own_kind() {
    let specimen = Specimen::new(vec![format!("DEPLOY_TOKEN={}", token())]);
    let report = found(&specimen);
    let credential = only(&report);
    assert_eq!(credential.kind, "code-host-token");
    assert_eq!(credential.name.as_deref(), Some("DEPLOY_TOKEN"));
}

#[test]
fn tokens_tell_their_issuer_and_expiry() {
    let mut specimen = specimen();
    let claims = json!({ "iss": "https://issuer.example", "sub": "alice", "exp": 1_900_000_000 });
    put(
        &mut specimen,
        PAGE,
        format!(" {} ", jwt(&claims)).as_bytes(),
    );
    let account = "system:serviceaccount:shop:cart";
    let bound = json!({ "iss": "k", "sub": account, "exp": 1_800_000_000, "kubernetes.io": {} });
    put(
        &mut specimen,
        2 * PAGE,
        format!(" {} ", jwt(&bound)).as_bytes(),
    );
    let report = found(&specimen);
    let of = |kind: &str| {
        let mut all = report.credentials.iter();
        all.find(|credential| credential.kind == kind).unwrap()
    };
    let (plain, bound) = (of("jwt"), of("kubernetes-token"));
    assert_eq!(plain.issuer.as_deref(), Some("https://issuer.example"));
    assert_eq!(plain.expires.unwrap().as_second(), 1_900_000_000);
    assert_eq!(plain.subject, None, "it may be a person's");
    assert_eq!(bound.subject.as_deref(), Some(account));
    assert_eq!(bound.expires.unwrap().as_second(), 1_800_000_000);
    assert_eq!(report.credentials.len(), 2);
}

#[test]
fn certificates_tell_their_subject_and_expiry() {
    let certificate = |name: &str, is_ca: bool| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = rcgen::date_time_ymd(2031, 5, 6);
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    };
    let mut specimen = specimen();
    let (pem, der) = (
        certificate("in-a-file", false),
        certificate("in-memory", false),
    );
    specimen
        .rootfs
        .push(("etc/tls.crt".to_owned(), pem.pem().into_bytes()));
    specimen.rootfs.push((
        "etc/ca.crt".to_owned(),
        certificate("ca", true).pem().into_bytes(),
    ));
    put(&mut specimen, 9 * PAGE, der.der());
    let report = found(&specimen);
    let mut subjects: Vec<_> = report
        .credentials
        .iter()
        .map(|it| {
            (
                it.kind.as_str(),
                it.subject.as_deref().unwrap(),
                it.expires.unwrap().to_string(),
            )
        })
        .collect();
    subjects.sort_unstable();
    let expires = "2031-05-06T00:00:00Z".to_owned();
    assert_eq!(
        subjects,
        [
            ("certificate", "CN=in-a-file", expires.clone()),
            ("certificate", "CN=in-memory", expires),
        ]
    );
    assert_eq!(report.authorities, 1);
}

#[test]
fn fingerprints_need_a_key_and_are_equal_for_equal_tokens() {
    let with_token = |at: usize| {
        let mut specimen = specimen();
        put(&mut specimen, at, format!(" {} ", token()).as_bytes());
        specimen.log.extend(b"password = \"xK9!vQ2#mL7pR\"\n");
        specimen.archive(Runtime::Containerd)
    };
    let make: Fingerprint = Arc::new(|secret: &[u8]| format!("{}", secret.len()));
    let prints = |archive: &[u8], key: Option<Fingerprint>| -> Vec<_> {
        let report = audit_of(archive, key).report;
        let all = report.credentials.into_iter();
        let mut all: Vec<_> = all.map(|it| (it.kind, it.fingerprint)).collect();
        all.sort();
        all
    };
    let expected = [
        (
            "code-host-token".to_owned(),
            Some(token().len().to_string()),
        ),
        ("password-field".to_owned(), None),
    ];
    assert_eq!(prints(&with_token(PAGE), Some(Arc::clone(&make))), expected);
    assert_eq!(prints(&with_token(7 * PAGE), Some(make)), expected);
    assert_eq!(prints(&with_token(PAGE), None)[0].1, None);
}

#[test]
fn what_cannot_be_searched_is_named_and_the_rest_is_searched() {
    let mut specimen = specimen();
    specimen.log.extend(format!("token {}\n", token()).bytes());
    let mut members = specimen.members(Runtime::Containerd);
    let diff = members
        .iter_mut()
        .find(|(name, _)| name == "rootfs-diff.tar");
    diff.unwrap().1 = b"no archive at all".repeat(100);
    let audit = audit_of(&tar(&members), None);
    assert_eq!(only(&audit.report).copies, 1);
    let [content] = audit.not_looked_at.contents.as_slice() else {
        panic!("{:?}", audit.not_looked_at)
    };
    assert_eq!(
        (content.place.as_str(), content.bytes),
        ("rootfs-diff.tar", 1700)
    );
}

#[test]
fn very_many_tokens_give_a_bounded_report() {
    let mut specimen = specimen();
    for number in 0..3000 {
        let token = format!("{}-{number:04}Xk29vQzLm4Tn8RbW", "glpat");
        specimen.log.extend(format!("{token}\n").bytes());
    }
    let report = audit_of(&specimen.archive(Runtime::Containerd), None).report;
    assert_eq!(report.credentials.len(), 200);
    assert_eq!(report.unlisted, 2800);
}

#[test]
fn a_capture_lists_credentials_only_if_asked() {
    let secret = "battery-staple-7";
    let specimen = Specimen::new(vec![format!("DB_PASSWORD={secret}")]);
    let archive = specimen.archive(Runtime::Containerd);
    let redaction = |credentials| Redaction {
        plan: hide_variables("DB_PASSWORD"),
        settings: RedactionSettings {
            credentials,
            ..RedactionSettings::default()
        },
        ..Redaction::default()
    };
    let (plain, summary) = redact(redaction(None), &archive).unwrap();
    assert_eq!(summary.credentials, None);
    let (same, summary) = redact(redaction(Some(CredentialSettings::default())), &archive).unwrap();
    assert!(plain == same, "a report changes nothing");
    let report = summary.credentials.unwrap();
    let credential = only(&report);
    assert_eq!(
        (credential.kind.as_str(), credential.copies),
        ("variable", 3)
    );
}
