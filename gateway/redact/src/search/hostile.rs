//! Texts that are made to waste a detector's time: what it looks for, repeated densely in many ways.

use gateway_core::DETECTORS;

use super::catalogue::catalogue;
use super::detect::{Detector, named};

/// Lengths of what follows an anchor, and the bytes that are taken for it, in turns.
const LENGTHS: [usize; 2] = [16, 300];
const BODIES: [&[u8]; 3] = [
    b"aK3xZ9qL7mTb2WcR",
    b"abcdefghijklmnop",
    b"list of the item",
];
/// Bytes that end a value, begin one, or join it to the next.
const ENDS: [&str; 23] = [
    "", "\n", "\"", "'", " ", ".", ",", ";", "/", "&", "@", ":", "=", "-", "\\", "|\n ", ">", "{",
    "\0", "}", "$", "a@h/", "=\\\"",
];
/// Anchors that stand before one end.
const MANY: usize = 50;

/// A text that is to be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostileText {
    /// The detector that it is made for.
    pub detector: &'static str,
    /// Repeating these bytes makes the text.
    pub unit: Vec<u8>,
}

/// The texts for all detectors: each anchor alone, with other bytes, with each other anchor of its detector, and many of them
/// before one end; and the examples of each kind of secret.
pub fn hostile_texts() -> Vec<HostileText> {
    let mut texts = Vec::new();
    for detector in DETECTORS {
        let anchors = anchors(detector);
        for anchor in &anchors {
            let others = anchors
                .iter()
                .map(|other| [anchor.as_slice(), other].concat());
            let units = around(anchor).into_iter().chain(others);
            texts.extend(units.map(|unit| HostileText { detector, unit }));
        }
        let digits = [
            "4111 1111 1111 1112 ",
            "4111111111111111 ",
            "4111111111111111,4111111111111112\n",
        ];
        let cards = digits.into_iter().filter(|_| detector == "credit-card");
        let units = cards.map(|unit| unit.as_bytes().to_vec());
        texts.extend(units.map(|unit| HostileText { detector, unit }));
    }
    for detector in catalogue() {
        let examples = detector.kinds.into_iter().filter_map(|kind| kind.example);
        let units = examples
            .flat_map(|example| ENDS.map(|end| [example.as_bytes(), end.as_bytes()].concat()));
        let detector = detector.name;
        texts.extend(units.map(|unit| HostileText { detector, unit }));
    }
    texts
}

/// Of each anchor of a detector one example.
fn anchors(detector: &str) -> Vec<Vec<u8>> {
    match named(detector) {
        Some(Detector::Anchored(probes)) => {
            probes.iter().map(|(anchor, _)| anchor.example()).collect()
        }
        _ => Vec::new(),
    }
}

/// Texts with this anchor.
fn around(anchor: &[u8]) -> Vec<Vec<u8>> {
    let mut units = Vec::new();
    for end in ENDS {
        let end = end.as_bytes();
        units.push([anchor, end].concat());
        units.push([end, anchor].concat());
        units.push([&[end, anchor].concat().repeat(MANY), b"\n".as_slice()].concat());
        units.push([&anchor.repeat(MANY), end, b"\n"].concat());
    }
    for body in BODIES {
        for length in LENGTHS {
            let body: Vec<u8> = body.iter().copied().cycle().take(length).collect();
            for end in ["", "\n", " "] {
                let end = end.as_bytes();
                units.push([anchor, &body, end].concat());
                units.push([&[anchor, &body].concat().repeat(MANY), end, b"\n"].concat());
            }
        }
    }
    units
}
