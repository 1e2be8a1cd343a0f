//! Masking of JSON documents and of members that are not known.

use gateway_core::Place;
use gateway_redact::Redaction;
use serde_json::{Value, json};
use tar::EntryType;

use crate::plans::{hide_variables, redact};
use crate::specimen::read_tar;
use crate::support::{literal, member, one, only, run, tar_of};

#[test]
fn documents_stay_json() {
    let document = json!({
        "process": {
            "env": ["A=x\"y\\z\u{1f600}", "B=plain", "PLAIN", "=", "A"],
            "args": ["--key=x\"y\\z\u{1f600}", "kept"],
        },
        "x\"y\\z\u{1f600}": 1,
    });
    for text in [
        document.to_string(),
        serde_json::to_string_pretty(&document).unwrap(),
    ] {
        let escaped = text
            .replace('\u{1f600}', "\\ud83d\\ude00")
            .replace("\"A=", "\"\\u0041\\u003d");
        for text in [text, escaped] {
            let plan = hide_variables("A");
            let members = run(plan, &one("spec.dump", text.as_bytes())).unwrap();
            let masked = member(&members, "spec.dump");
            assert_eq!(masked.len(), text.len());
            let read: Value = serde_json::from_slice(&masked).unwrap();
            assert!(
                read["process"]["env"][0]
                    .as_str()
                    .unwrap()
                    .trim_start_matches("A=")
                    .bytes()
                    .all(|b| b == b'*')
            );
            assert_eq!(read["process"]["env"][1], "B=plain");
            assert_eq!(read["process"]["args"][1], "kept");
            assert!(!String::from_utf8_lossy(&masked).contains("x\\\"y"));
            assert!(!read.to_string().contains('z'), "{read}");
        }
    }
}

#[test]
fn a_document_that_is_not_json_is_searched_and_listed() {
    let plan = only(Place::Logs, literal("sesame"));
    let (redacted, summary) = redact(
        Redaction {
            plan,
            ..Redaction::default()
        },
        &one("spec.dump", b"{open sesame"),
    )
    .unwrap();
    assert_eq!(member(&read_tar(&redacted), "spec.dump"), b"{open ******");
    assert_eq!(summary.unreadable, ["spec.dump"]);
}

#[test]
fn unknown_members_are_searched_under_every_rule() {
    for place in [Place::Spec, Place::Memory, Place::Logs, Place::Files] {
        for name in [
            "new.thing",
            "checkpoint/new",
            "a/../b",
            "/etc/passwd",
            "../../up",
        ] {
            let archive = tar_of(&[(name, EntryType::Regular, b"open sesame")]);
            let members = run(only(place, literal("sesame")), &archive).unwrap();
            assert_eq!(members[0].1, b"open ******", "{name}");
        }
    }
}

#[test]
fn all_spellings_of_a_name_are_treated_alike() {
    let spec = br#"{"process":{"env":["PIN=123"]}}"#;
    let names = [
        "spec.dump",
        "./spec.dump",
        "/spec.dump",
        "x/../spec.dump",
        "spec.dump",
    ];
    let archive = tar_of(&names.map(|name| (name, EntryType::Regular, &spec[..])));
    for (name, bytes) in run(hide_variables("PIN"), &archive).unwrap() {
        assert_eq!(bytes, br#"{"process":{"env":["PIN=***"]}}"#, "{name}");
    }
}
