//! Everything that an archive can be read as, by decoders that share no code with the redactor.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::Path;

use flate2::read::{DeflateDecoder, MultiGzDecoder};

use super::numbers;
use super::view::View;

/// The views of an archive: its bytes, its members, all that is packed in these, and numbers of images as bytes.
pub fn views(archive: &Path) -> Vec<View> {
    let bytes = std::fs::read(archive).unwrap();
    let mut views = Vec::new();
    untar("", &bytes, &mut views);
    views.push(View {
        name: "archive".to_owned(),
        bytes,
    });
    views
}

fn untar(within: &str, bytes: &[u8], views: &mut Vec<View>) {
    let mut tar = tar::Archive::new(bytes);
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut names = entry.path_bytes().into_owned();
        names.push(b'\n');
        names.extend(entry.link_name_bytes().unwrap_or_default().iter());
        views.push(View {
            name: format!("{within}{path} (names)"),
            bytes: names,
        });
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).unwrap();
        open(format!("{within}{path}"), contents, views);
    }
}

/// Adds what these bytes are, and what is in them.
fn open(name: String, bytes: Vec<u8>, views: &mut Vec<View>) {
    let undone = |bytes: &mut dyn Read| {
        let mut all = Vec::new();
        bytes.read_to_end(&mut all).map(|_| all)
    };
    let is_memory = name.contains("pages-");
    if !is_memory && bytes.starts_with(&[0x1f, 0x8b]) {
        let inner = undone(&mut MultiGzDecoder::new(&*bytes)).unwrap();
        open(format!("{name}|gzip"), inner, views);
    } else if !is_memory && bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(&*bytes).unwrap();
        let inner = undone(&mut decoder).unwrap();
        open(format!("{name}|zstd"), inner, views);
    } else if !is_memory && bytes.starts_with(b"PK\x03\x04") {
        unzip(&name, &bytes, views);
    } else if !is_memory && bytes.get(257..262) == Some(b"ustar") {
        untar(&format!("{name}|tar/"), &bytes, views);
    } else if name.contains(".img") {
        views.extend(numbers::laid_out(&name, &bytes));
    }
    views.push(View { name, bytes });
}

fn unzip(name: &str, bytes: &[u8], views: &mut Vec<View>) {
    let number = |at: usize, length: usize| {
        let digits = bytes[at..at + length].iter().rev();
        digits.fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let end = bytes.len() - 22;
    let (mut at, count) = (number(end + 16, 4), number(end + 10, 2));
    for _ in 0..count {
        let (method, length, start) = (number(at + 10, 2), number(at + 20, 4), number(at + 42, 4));
        at += 46 + number(at + 28, 2) + number(at + 30, 2) + number(at + 32, 2);
        let data = start + 30 + number(start + 26, 2) + number(start + 28, 2);
        let mut inner = bytes[data..data + length].to_vec();
        if method == 8 {
            let packed = std::mem::take(&mut inner);
            DeflateDecoder::new(&*packed)
                .read_to_end(&mut inner)
                .unwrap();
        }
        open(format!("{name}|zip"), inner, views);
    }
}

/// Looks for many texts at once.
pub struct Texts {
    all: Vec<Vec<u8>>,
    /// The texts that begin with these four bytes.
    by_start: HashMap<[u8; 4], Vec<usize>>,
    /// Whether one begins with these two bytes.
    starts: Vec<bool>,
}

impl Texts {
    /// Of at least four bytes each.
    pub fn new(texts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let texts: Vec<_> = texts.into_iter().collect();
        let mut by_start: HashMap<_, Vec<_>> = HashMap::new();
        let mut starts = vec![false; 1 << 16];
        for (at, text) in texts.iter().enumerate() {
            by_start
                .entry(text[..4].try_into().unwrap())
                .or_default()
                .push(at);
            starts[usize::from(u16::from_le_bytes([text[0], text[1]]))] = true;
        }
        Self {
            all: texts,
            by_start,
            starts,
        }
    }

    pub fn length(&self, text: usize) -> usize {
        self.all[text].len()
    }

    /// The numbers of the texts that these bytes have.
    pub fn found(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(3) {
            let start = u16::from_le_bytes([bytes[at], bytes[at + 1]]);
            if !self.starts[usize::from(start)] {
                continue;
            }
            let candidates = self.by_start.get(&bytes[at..at + 4]);
            let is_here = |text: &&usize| bytes[at..].starts_with(&self.all[**text]);
            found.extend(candidates.into_iter().flatten().filter(is_here));
        }
        found
    }
}
