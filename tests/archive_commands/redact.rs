//! `ckpt archive redact`, and what the other commands say of its result.

use std::path::Path;

use serde_json::json;

use super::{copies, files, hide_keys, place, plan, refused, run, taken, text, told};
use crate::storage::{mode, sha256sum};
use crate::support::world::SECRET;

#[tokio::test]
async fn redact_hides_the_secret_and_what_is_left_is_whole() {
    let (world, archive) = taken().await;
    let before = std::fs::read(&archive).unwrap();
    for (name, written) in [
        ("plan", hide_keys()),
        ("answer", json!({ "answer": { "plan": hide_keys() } })),
    ] {
        let out = place(&world, &format!("{name}.tar"));
        let found = told(&["redact", "--plan", &plan(&world, &written), &archive, &out]);
        assert_eq!(copies(&out), 0);
        assert_eq!(mode(Path::new(&out)), 0o600);
        assert_eq!(found["sha256"], sha256sum(Path::new(&out)));
        assert_eq!(found["redaction"]["values_hidden"], 1);
        assert!(
            found["redaction"]["rules"][0]["places"]["memory"]["masks"]
                .as_u64()
                .unwrap()
                > 0,
            "{found}"
        );
        assert!(!found.to_string().contains(SECRET));
        assert_eq!(told(&["verify", &out])["ok"], true);
        let beside = told(&["inspect", &out])["metadata"].take();
        assert_eq!(
            (&beside["sha256"], &beside["created_by"]),
            (&found["sha256"], &json!("alice"))
        );
        assert_eq!(beside["redaction"], found["redaction"]);
        let (one, other) = (told(&["inspect", &archive]), told(&["inspect", &out]));
        assert_eq!(
            one["inspection"]["processes"],
            other["inspection"]["processes"]
        );
    }
    assert!(
        before == std::fs::read(&archive).unwrap(),
        "what is redacted stays as it was"
    );
}

#[tokio::test]
async fn verifies_what_redact_wrote_without_metadata() {
    let (world, archive) = taken().await;
    std::fs::remove_file(format!("{archive}.json")).unwrap();
    let out = place(&world, "redacted.tar");
    told(&[
        "redact",
        "--plan",
        &plan(&world, &hide_keys()),
        &archive,
        &out,
    ]);
    assert!(!Path::new(&format!("{out}.json")).exists());
    let digest = std::fs::read_to_string(format!("{out}.sha256")).unwrap();
    assert_eq!(
        digest,
        format!("{}  redacted.tar\n", sha256sum(Path::new(&out)))
    );
    assert_eq!(told(&["verify", &out])["ok"], true);
    std::fs::write(format!("{out}.sha256"), digest.replace('0', "1")).unwrap();
    assert!(refused(&["verify", &out]).contains("FAIL  digest: the .sha256 file says"));
    std::fs::write(format!("{out}.sha256"), "nonsense").unwrap();
    assert!(refused(&["verify", &out]).contains("does not begin with a SHA-256 digest"));
}

#[tokio::test]
async fn inspect_lists_only_rules_that_hit() {
    let (world, archive) = taken().await;
    let mut rules = hide_keys();
    let unused =
        json!({ "name": "unused", "pattern": { "env-value": "*_NOTHING" }, "places": ["memory"] });
    rules["mask"].as_array_mut().unwrap().push(unused);
    rules["drop"] = json!([{ "name": "log", "entry": "container.log" }, { "name": "absent", "entry": "nothing" }]);
    let out = place(&world, "redacted.tar");
    told(&["redact", "--plan", &plan(&world, &rules), &archive, &out]);
    let printed = text(&run(&["inspect", &out]).stdout);
    let column = |line: &str, word: &str| line.find(word).map(|at| at + word.len());
    let mut lines = printed.lines().skip_while(|line| !line.contains("RULE"));
    let (headings, keys) = (lines.next().unwrap(), lines.next().unwrap());
    assert!(
        keys.trim_start().starts_with("keys ") && keys.contains("memory "),
        "{printed}"
    );
    let masked = keys.split_whitespace().nth(1).unwrap();
    assert_eq!(
        column(headings, "MASKED"),
        column(keys, masked),
        "{printed}"
    );
    assert!(printed.contains("container.log"), "{printed}");
    assert!(printed.contains("2 other rules found nothing"), "{printed}");
    assert!(
        !printed.contains("unused") && !printed.contains("absent"),
        "{printed}"
    );
}

#[tokio::test]
async fn redact_leaves_nothing_behind_where_it_fails() {
    let (world, archive) = taken().await;
    let folder = place(&world, "out");
    std::fs::create_dir(&folder).unwrap();
    let out = format!("{folder}/redacted.tar");
    let good = plan(&world, &hide_keys());
    for written in [
        json!({ "masks": [] }),
        json!({ "answer": { "fault": "timeout" } }),
        json!({ "mask": [{ "name": "r", "pattern": { "regex": "(" }, "places": ["memory"] }] }),
    ] {
        refused(&["redact", "--plan", &plan(&world, &written), &archive, &out]);
    }
    std::fs::write(&good, hide_keys().to_string()).unwrap();
    let broken = place(&world, "broken.tar");
    let bytes = std::fs::read(&archive).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() - 2048]).unwrap();
    refused(&["redact", "--plan", &good, &broken, &out]);
    assert!(files(Path::new(&folder)).is_empty());
    std::fs::write(&out, "kept").unwrap();
    assert!(refused(&["redact", "--plan", &good, &archive, &out]).contains("exists already"));
    assert_eq!(std::fs::read(&out).unwrap(), b"kept");
}
