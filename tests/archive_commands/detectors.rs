//! `ckpt archive detectors`: the catalogue, and its figures in the documentation.

use std::fs;

use super::{refused, run, text, told};

#[test]
fn lists_detectors_with_the_documented_figures() {
    let listed = told(&["detectors"]);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/redaction.md");
    let page = fs::read_to_string(path).unwrap();
    let detectors = listed["detectors"].as_array().unwrap();
    assert_eq!(detectors.len(), gateway_core::DETECTORS.len());
    for detector in detectors {
        let line = format!(
            "| `{}` | {} | {} % of {} | {} %, {} look-alikes |",
            detector["name"].as_str().unwrap(),
            detector["finds"].as_str().unwrap(),
            detector["recall_percent"],
            detector["positives"],
            detector["precision_percent"],
            detector["look_alikes"],
        );
        assert!(page.contains(&line), "{line}");
    }
}

#[test]
fn lists_the_kinds_of_one_detector() {
    let listed = told(&["detectors", "registry-token"]);
    let kinds = listed["detectors"][0]["kinds"].as_array().unwrap();
    let npm = kinds.iter().find(|kind| kind["kind"] == "npm").unwrap();
    assert_eq!(npm["prefix"], "npm_");
    assert_eq!(npm["alphabet"], "A-Z a-z 0-9");
    assert_eq!(npm["length"], "36-255");
    assert!(npm["checksum"].as_str().unwrap().contains("CRC-32"));
    assert!(npm["example"].as_str().unwrap().starts_with("npm_"));
    let output = run(&["detectors", "vault-token"]);
    let printed = text(&output.stdout);
    assert!(
        printed.contains("vault-token") && printed.contains("hvs."),
        "{printed}"
    );
    assert!(!printed.contains("npm_"), "{printed}");
    assert!(refused(&["detectors", "vaults"]).contains("no detector is called `vaults`"));
}
