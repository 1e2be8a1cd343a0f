//! `ckpt audit show`, `explain` and `stats`.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::audit_commands::written;
use crate::support::programs::CKPT;

/// A command of `audit`, as it ends.
pub fn audit(command: &str, arguments: &[&str]) -> Output {
    Command::new(CKPT)
        .args(["audit", command])
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

/// The output of an `audit` command that must succeed.
pub fn printed(command: &str, arguments: &[&str]) -> String {
    let output = audit(command, arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The JSON lines of a command of `audit`.
pub fn lines(command: &str, arguments: &[&str]) -> Vec<Value> {
    let printed = printed(command, &[arguments, &["--output", "json"]].concat());
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn records_are_shown_by_who_where_what_and_when() {
    let (world, log) = written().await;
    let log = log.to_str().unwrap();
    let records = world.audit();
    assert_eq!(
        lines("show", &[log]),
        records,
        "each as it stands in the log"
    );
    let request = records[0]["request_id"].as_str().unwrap();
    let trace = records[0]["trace_id"].as_str().unwrap();
    let checkpoint = records[0]["checkpoint_id"].as_str().unwrap();
    let denied = records[2]["at"].as_str().unwrap();
    for (filter, expected) in [
        (&["--user", "mallory"][..], &records[2..]),
        (&["--verdict", "deny"], &records[2..]),
        (&["--verdict", "allow"], &records[..2]),
        (&["--code", "denied"], &records[2..]),
        (&["--request-id", request], &records[..2]),
        (&["--trace-id", trace], &records[..2]),
        (&["--checkpoint", checkpoint], &records[..2]),
        (
            &[
                "--namespace",
                "shop",
                "--pod",
                "cart-0",
                "--container",
                "app",
                "--action",
                "create",
            ],
            &records,
        ),
        (&["--since", denied], &records[2..]),
        (&["--until", denied], &records[..2]),
        (&["--since", "1h", "--limit", "1"], &records[2..]),
    ] {
        assert_eq!(
            lines("show", &[&[log], filter].concat()),
            expected,
            "{filter:?}"
        );
    }
    let table = printed("show", &[log]);
    let rows: Vec<_> = table.lines().collect();
    assert!(rows[0].starts_with("TIME") && rows.len() == 4, "{table}");
    assert!(
        rows[3].contains("mallory") && rows[3].contains("allow-list: not-on-allow-list"),
        "{table}"
    );
    let place = |row: &str, word: &str| row.find(word).unwrap();
    assert_eq!(
        place(rows[1], "shop/cart-0/app"),
        place(rows[3], "shop/cart-0/app"),
        "columns stand below one another"
    );
    assert!(!table.contains('\u{1b}'), "colours are for terminals");
}

#[tokio::test]
async fn what_nothing_fits_says_what_may_be_meant() {
    let (_world, log) = written().await;
    let log = log.to_str().unwrap();
    let said = |arguments: &[&str], exit: i32| {
        let output = audit("show", &[&[log], arguments].concat());
        assert_eq!(output.status.code(), Some(exit), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(
        said(&["--user", "malory"], 1)
            .contains("no record matches; did you mean `--user mallory`?")
    );
    assert!(!said(&["--user", "zebedee"], 1).contains("did you mean"));
    assert!(said(&["--action", "creat"], 2).contains("'create'"));
    assert!(said(&["--since", "yesterday"], 2).contains("2026-03-01T10:00:00Z"));
}

#[test]
fn what_others_have_written_cannot_play_tricks_on_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let mut record = json!({
        "seq": 0, "prev": "0".repeat(64), "schema": 1, "at": "2026-01-01T00:00:00Z", "trace_id": null, "event": "outcome",
        "request_id": "01990000-0000-7000-8000-000000000001", "action": "create", "user": "a\u{1b}[31m\u{202e}\u{200b}b",
        "source_address": null, "target": null, "status": 403, "code": "x\r\ny", "verdicts": [], "checkpoint_id": null,
        "sha256": null, "bytes": null, "duration_us": 1, "reason": "\u{7}\u{2066}",
        "message": "\u{9b}2J", "groups": ["\u{1b}]0;title\u{7}"], "issuer": "i\u{200f}", "credential": "bearer-token",
    });
    let policy = json!({ "policy": "p\u{1b}", "generation": 1, "decision": { "deny": { "code": "\u{202d}", "message": "\u{8}" } } });
    record["verdicts"] = json!([policy]);
    std::fs::write(&path, format!("{record}\n")).unwrap();
    let log = path.to_str().unwrap();
    let id = record["request_id"].as_str().unwrap();
    for text in [
        printed("show", &[log]),
        printed("explain", &[id, log]),
        printed("stats", &[log]),
    ] {
        assert!(text.contains("\\u{1b}"), "{text}");
        let tricks = |c: char| {
            (c.is_control() && c != '\n') || ('\u{200b}'..='\u{2069}').contains(&c) && c != '…'
        };
        assert!(!text.contains(tricks), "{text:?}");
    }
}

#[tokio::test]
async fn explains_a_request_and_its_later_results_in_sentences() {
    let (world, log) = written().await;
    let log = log.to_str().unwrap();
    let records = world.audit();
    let id = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    let checkpoint = id(&records[0], "checkpoint_id");
    let path = format!("/v1/checkpoints/{checkpoint}");
    assert_eq!(
        world
            .client("alice")
            .send(http::Method::DELETE, &path)
            .await
            .status,
        204
    );
    for named in ["request_id", "trace_id", "checkpoint_id"].map(|name| id(&records[0], name)) {
        let told = printed("explain", &[&named, log]);
        for sentence in [
            "alice (with a token of https://issuer.example, from 127.0.0.1) asked for a checkpoint of shop/cart-0/app",
            "- allow-list (no digest, generation 1) allows it",
            "Decision: allowed, since a policy allows it and none denies it.",
            "with 200 after",
            &checkpoint,
            "asked to delete a checkpoint of shop/cart-0/app",
            "with 204 after",
        ] {
            assert!(told.contains(sentence), "{named}: {sentence}\n{told}");
        }
    }
    let told = printed("explain", &[&id(&records[2], "request_id"), log]);
    assert!(
        told.contains("mallory") && told.contains("denies it (not-on-allow-list)"),
        "{told}"
    );
    assert!(
        told.contains("Decision: denied by allow-list.") && !told.contains(&checkpoint),
        "{told}"
    );
    assert_eq!(
        lines("explain", &[&id(&records[2], "request_id"), log]),
        records[2..]
    );
    let none = audit("explain", &["01990000-0000-7000-8000-000000000001", log]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    assert_eq!(audit("explain", &["x", log]).status.code(), Some(2));
}

#[tokio::test]
async fn a_log_is_summed_up() {
    let (world, log) = written().await;
    world.anonymous().get("/v1/whoami").await;
    let log = log.to_str().unwrap();
    let stats = lines("stats", &[log]).remove(0);
    let bytes = &world.audit()[1]["bytes"];
    assert_eq!(
        (&stats["records"], &stats["bytes_stored"]),
        (&4.into(), bytes),
        "{stats}"
    );
    let counts = &stats["counts"];
    assert_eq!(
        counts["events"]["top"],
        json!({ "intent": 1, "outcome": 3 })
    );
    assert_eq!(counts["verdicts"]["top"], json!({ "allow": 1, "deny": 1 }));
    assert_eq!(
        counts["codes"]["top"],
        json!({ "denied": 1, "unauthenticated": 1 })
    );
    assert_eq!(
        counts["users"]["top"],
        json!({ "-": 1, "alice": 1, "mallory": 1 })
    );
    assert_eq!(
        counts["policies"]["top"],
        json!({ "allow-list allow": 1, "allow-list deny": 1 })
    );
    assert!(
        stats["durations"]["create"]["p99_us"].as_u64()
            >= stats["durations"]["create"]["p50_us"].as_u64()
    );
    let text = printed("stats", &[log, "--user", "mallory"]);
    assert!(
        text.starts_with("1 records") && text.contains("milliseconds"),
        "{text}"
    );
}

#[tokio::test]
async fn counts_invalid_lines_and_shows_the_rest() {
    let (world, path) = written().await;
    let records = world.audit();
    let text = std::fs::read_to_string(&path).unwrap();
    let newer = text
        .lines()
        .next()
        .unwrap()
        .replace("\"intent\"", "\"foretold\"");
    let copy = world.directory.path().join("copy.log");
    std::fs::write(&copy, format!("{newer}\nno record\n{text}{{\"seq\"")).unwrap();
    let output = audit("show", &[copy.to_str().unwrap(), "--output", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().lines().count(),
        records.len()
    );
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("2 lines cannot be read")
    );
}
