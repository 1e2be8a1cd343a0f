//! `ckpt archive audit`.

use serde_json::{Value, json};

use super::{hide_keys, place, plan, refused, run, taken, text, told};
use crate::support::world::SECRET;

/// The JSON output and the exit code.
fn audited(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = run(&[&["audit"], arguments, &["--output", "json"]].concat());
    let found = serde_json::from_slice(&output.stdout);
    (found.unwrap_or_default(), output.status.code())
}

#[tokio::test]
async fn audit_names_credentials_and_shows_no_value() {
    let (_world, archive) = taken().await;
    let (found, code) = audited(&[&archive]);
    assert_eq!((&found["found"], code), (&json!(true), Some(1)), "{found}");
    let all = found["credentials"].as_array().unwrap();
    let key = all
        .iter()
        .find(|credential| credential["name"] == json!("API_KEY"));
    let key = key.unwrap_or_else(|| panic!("{found}"));
    assert!(key["copies"].as_u64().unwrap() >= 2, "{key}");
    assert_eq!(key["fingerprint"], json!(null));
    let places = key["places"].as_array().unwrap();
    let members: Vec<_> = places.iter().map(|place| &place["member"]).collect();
    assert!(members.contains(&&json!("spec.dump")), "{members:?}");
    assert!(
        places.iter().any(|place| place["process"].is_u64()),
        "{key}"
    );
    assert_eq!(found["not_looked_at"]["contents"], json!([]));
    let output = run(&["audit", &archive]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(
        said.contains("API_KEY") && said.contains("To revoke"),
        "{said}"
    );
    assert!(!said.contains(SECRET) && !found.to_string().contains(SECRET));
}

#[tokio::test]
async fn audit_finds_nothing_in_a_redacted_archive() {
    let (world, archive) = taken().await;
    let (plan, out) = (plan(&world, &hide_keys()), place(&world, "redacted.tar"));
    told(&["redact", "--plan", &plan, &archive, &out]);
    let (found, code) = audited(&[&out]);
    assert_eq!((&found["found"], code), (&json!(false), Some(0)), "{found}");
}

#[tokio::test]
async fn audit_refuses_a_short_fingerprint_key() {
    let (world, archive) = taken().await;
    let key = place(&world, "key");
    std::fs::write(&key, "short").unwrap();
    let said = refused(&["audit", "--fingerprint-key", &key, &archive]);
    assert!(
        said.contains("5 bytes") && said.contains("at least 32"),
        "{said}"
    );
}
