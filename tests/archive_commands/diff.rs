//! `ckpt archive diff`.

use serde_json::{Value, json};

use super::{hide_keys, place, plan, run, taken, text, told};
use crate::support::world::SECRET;

/// The JSON output and the exit code.
fn compared(a: &str, b: &str) -> (Value, Option<i32>) {
    let output = run(&["diff", a, b, "--output", "json"]);
    let found = serde_json::from_slice(&output.stdout).unwrap();
    (found, output.status.code())
}

#[tokio::test]
async fn diff_of_an_archive_with_itself_is_empty() {
    let (_world, archive) = taken().await;
    let (found, code) = compared(&archive, &archive);
    assert_eq!((&found["same"], code), (&json!(true), Some(0)), "{found}");
    assert_eq!(found["not_compared"], json!([]));
    let pages = &found["memory"][0]["pages"];
    assert!(pages["equal"].as_u64().unwrap() > 0 && pages["changed"] == json!(0));
    let said = text(&run(&["diff", &archive, &archive]).stdout);
    assert!(said.contains("nothing differs"), "{said}");
}

#[tokio::test]
async fn diff_counts_the_pages_that_a_redaction_touched() {
    let (world, archive) = taken().await;
    let (plan, out) = (plan(&world, &hide_keys()), place(&world, "redacted.tar"));
    told(&["redact", "--plan", &plan, &archive, &out]);
    let (found, code) = compared(&archive, &out);
    assert_eq!((&found["same"], code), (&json!(false), Some(1)), "{found}");
    let pages = &found["memory"][0]["pages"];
    assert!(pages["changed"].as_u64().unwrap() > 0, "{pages}");
    assert_eq!((&pages["new"], &pages["gone"]), (&json!(0), &json!(0)));
    assert_eq!(found["env"]["gone"], json!([]));
    let output = run(&["diff", &archive, &out]);
    let said = text(&output.stdout);
    assert!(said.contains("CHANGED") && !said.contains(SECRET), "{said}");
    assert!(!found.to_string().contains(SECRET));
}
