//! Tests the detectors against a corpus of made-up secrets and of texts that only look like secrets:
//! `tests/corpus/README.md`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_core::{DETECTORS, MaskRule, Pattern, Place, Plan};

use super::detect::kinds::examples;
use super::{Rules, SearchSettings, Tally};

/// A line of the corpus: the text, and which bytes of it are secret.
struct Sample {
    bytes: Vec<u8>,
    secret: Vec<bool>,
}

fn corpus(kind: &str, name: &str) -> Vec<Sample> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/corpus", kind, name]
        .iter()
        .collect();
    let text = fs::read_to_string(Path::new(&path).with_extension("txt")).unwrap();
    text.lines().map(sample).collect()
}

/// The secrets of a detector: those of the corpus, and an example of each kind in its table.
fn positives(name: &str) -> Vec<Sample> {
    let mut state = 23;
    let made = examples(name, &mut state).into_iter().map(|token| Sample {
        secret: [vec![false; 4], vec![true; token.len()], vec![false]].concat(),
        bytes: [b"KEY=", token.as_slice(), b"\n"].concat(),
    });
    corpus("positives", name).into_iter().chain(made).collect()
}

/// `«` and `»` stand around a secret; `·` is nothing; `\n`, `\r`, `\0`, `\\` and `\x00` are as in Rust.
fn sample(line: &str) -> Sample {
    let mut sample = Sample {
        bytes: Vec::new(),
        secret: Vec::new(),
    };
    let mut inside = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let bytes = match c {
            '«' | '»' => {
                inside = c == '«';
                continue;
            }
            '·' => continue,
            '\\' => vec![escaped(&mut chars)],
            _ => c.to_string().into_bytes(),
        };
        sample.secret.extend(bytes.iter().map(|_| inside));
        sample.bytes.extend(bytes);
    }
    sample
}

fn escaped(chars: &mut std::str::Chars<'_>) -> u8 {
    match chars.next().unwrap() {
        'n' => b'\n',
        'r' => b'\r',
        '0' => 0,
        '\\' => b'\\',
        'x' => u8::from_str_radix(&chars.by_ref().take(2).collect::<String>(), 16).unwrap(),
        other => panic!("`\\{other}` is no escape of the corpus"),
    }
}

fn detector(name: &str) -> Rules {
    let pattern = Pattern::Detector(name.to_owned());
    let rule = MaskRule {
        name: name.to_owned(),
        pattern,
        places: BTreeSet::from([Place::Files]),
    };
    let plan = Plan {
        mask: vec![rule],
        ..Plan::default()
    };
    Rules::compile(&plan, &[], &SearchSettings::default()).unwrap()
}

/// `bytes` after masking.
fn masked(rules: &Rules, bytes: &[u8]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    rules.mask_whole(Place::Files, &mut masked, &mut Tally::default());
    masked
}

/// The sample after masking, as it should be.
fn wanted(sample: &Sample) -> Vec<u8> {
    let bytes = sample.bytes.iter().zip(&sample.secret);
    bytes
        .map(|(&byte, &secret)| if secret { b'*' } else { byte })
        .collect()
}

#[test]
fn every_detector_finds_its_secrets_and_nothing_else() {
    let mut wrong = String::new();
    for name in DETECTORS {
        let rules = detector(name);
        for (index, sample) in positives(name).iter().enumerate() {
            if masked(&rules, &sample.bytes) != wanted(sample) {
                writeln!(wrong, "{name}, positive {}", index + 1).unwrap();
            }
        }
        for file in [name, "everything"] {
            for (index, sample) in corpus("negatives", file).iter().enumerate() {
                if masked(&rules, &sample.bytes) != sample.bytes {
                    writeln!(wrong, "{name}, negative {} of {file}", index + 1).unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_readme_of_the_corpus_has_the_figures() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/corpus/README.md"]
        .iter()
        .collect();
    let readme = fs::read_to_string(path).unwrap();
    let shared = corpus("negatives", "everything").len();
    let mut missing = String::new();
    for name in DETECTORS {
        let rules = detector(name);
        let found = |sample: &Sample| masked(&rules, &sample.bytes) != sample.bytes;
        let count = |samples: &[Sample]| samples.iter().filter(|sample| found(sample)).count();
        let (positives, negatives) = (positives(name), corpus("negatives", name));
        let (right, false_alarms) = (count(&positives), count(&negatives));
        let precision = 100 * right / (right + false_alarms);
        let recall = 100 * right / positives.len();
        let (positives, negatives) = (positives.len(), negatives.len() + shared);
        let line = format!("| `{name}` | {positives} | {negatives} | {precision} % | {recall} % |");
        if !readme.contains(&line) {
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
        let rules = detector(name);
        for text in &texts {
            assert!(masked(&rules, text) == *text, "{name}");
        }
    }
}
