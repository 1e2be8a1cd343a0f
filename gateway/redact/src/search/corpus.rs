//! Tests the detectors against a corpus of made-up secrets and of texts that only look like secrets:
//! `tests/corpus/README.md`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_core::DETECTORS;

use super::catalogue;
use super::measure::{Corpus, alone, masked};

fn read(path: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), path].iter().collect();
    fs::read_to_string(Path::new(&path)).unwrap()
}

/// A detector's part of the corpus.
fn corpus(name: &str) -> Corpus {
    let part = |kind: &str, name: &str| read(&format!("tests/corpus/{kind}/{name}.txt"));
    let (positives, negatives) = (part("positives", name), part("negatives", name));
    Corpus::new(
        name,
        &positives,
        &negatives,
        &part("negatives", "everything"),
    )
    .unwrap()
}

#[test]
fn every_detector_finds_its_secrets_and_nothing_else() {
    let mut wrong = String::new();
    for name in DETECTORS {
        let rules = alone(name).unwrap();
        let corpus = corpus(name);
        for (index, sample) in corpus.positives.iter().enumerate() {
            if masked(&rules, &sample.bytes) != sample.wanted() {
                writeln!(wrong, "{name}, positive {}", index + 1).unwrap();
            }
        }
        for (index, sample) in corpus.negatives.iter().enumerate() {
            if masked(&rules, &sample.bytes) != sample.bytes {
                writeln!(wrong, "{name}, negative {}", index + 1).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_documentation_has_the_figures() {
    let page = read("../../docs/redaction.md");
    let mut missing = String::new();
    for detector in catalogue() {
        let figures = corpus(detector.name).measure(detector.name).unwrap();
        let line = format!(
            "| `{}` | {} | {} % of {} | {} %, {} look-alikes |",
            detector.name,
            detector.finds,
            figures.recall(),
            figures.positives,
            figures.precision(),
            figures.negatives,
        );
        if !page.contains(&line) {
            writeln!(missing, "{line}").unwrap();
        }
    }
    assert!(missing.is_empty(), "\n{missing}");
}

#[test]
fn random_text_gives_no_false_alarm() {
    let mut state = 11u64;
    let mut random = |alphabet: &[u8]| -> Vec<u8> {
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            alphabet[usize::try_from((state >> 33) % alphabet.len() as u64).unwrap()]
        };
        (0..1 << 20).map(next).collect()
    };
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let texts = [
        random(&every),
        random(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
        random(b"0123456789abcdef"),
        random(b"abcdefghijklmnopqrstuvwxyz/.-_$ \n"),
    ];
    for name in DETECTORS {
        let rules = alone(name).unwrap();
        for text in &texts {
            assert!(masked(&rules, text) == *text, "{name}");
        }
    }
}
