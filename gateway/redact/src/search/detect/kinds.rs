//! Tests of the tables of tokens, with examples of every kind that are made when the tests run.

use std::collections::BTreeSet;

use super::token::Token;
use super::tokens::{GROUPS, group};

/// An example of every kind in the table of the detector of that name, made from `state`.
pub(crate) fn examples(name: &str, state: &mut u64) -> Vec<Vec<u8>> {
    let tokens = group(name).unwrap_or_default().iter();
    tokens
        .map(|token| example(token, token.body.0, state))
        .collect()
}

/// Random bytes of the token's alphabet, made anew in each run so that no token stands in the repository.
fn random(is: fn(u8) -> bool, length: usize, state: &mut u64) -> Vec<u8> {
    let letters = (b'0'..=b'z').filter(u8::is_ascii_alphanumeric);
    let alphabet: Vec<u8> = letters.filter(|&byte| is(byte)).collect();
    let next = |_| {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        alphabet[usize::try_from((*state >> 33) % alphabet.len() as u64).unwrap()]
    };
    (0..length).map(next).collect()
}

/// A wrong kind, with the reason.
type Wrong = BTreeSet<(&'static str, &'static str)>;

/// An example of the kind, with `length` bytes after the fixed piece.
fn example(token: &Token, length: usize, state: &mut u64) -> Vec<u8> {
    let mut next = || {
        let mut made = random(token.head.0, token.head.1, state);
        made.extend(token.fixed.bytes());
        made.extend(random(token.is, length, state));
        shape(token.kind, &mut made);
        made
    };
    // Some have no digit by chance.
    let mut made = next();
    for _ in 0..1000 {
        if token.find(&made, token.head.1).is_some() {
            break;
        }
        made = next();
    }
    made
}

/// Separators where the format has them.
fn shape(kind: &str, made: &mut [u8]) {
    let mut put = |at: usize, piece: &[u8]| made[at..at + piece.len()].copy_from_slice(piece);
    match kind {
        "OpenAI" => put(0, b"sk-"),
        "SendGrid" => put(25, b"."),
        "k3s" => {
            put(3, &b"0123456789abcdef".repeat(4));
            put(67, b"::");
        }
        "Discord webhook" => {
            put(14, b"223456789012345678/");
        }
        "1Password secret key" => [9, 21, 27, 33].into_iter().for_each(|at| put(at, b"-")),
        _ => {}
    }
}

#[test]
fn finds_examples_of_every_kind_and_no_look_alikes() {
    let mut state = 5;
    let mut wrong = Wrong::new();
    let tokens = || GROUPS.iter().flat_map(|(_, tokens)| tokens.iter());
    for token in tokens() {
        for length in [token.body.0, token.body.1.min(token.body.0 + 40)] {
            let made = example(token, length, &mut state);
            in_texts(token, &made, &mut wrong);
            look_alikes(token, &made, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    let kinds: BTreeSet<_> = tokens().map(|token| token.kind).collect();
    assert!(kinds.len() >= 60 && kinds.len() == tokens().count());
}

fn in_texts(token: &Token, made: &[u8], wrong: &mut Wrong) {
    let anchor = token.anchor();
    for (before, after) in [("", ""), ("KEY=", "\n"), ("\\n", "\0"), ("x%3D", "\"")] {
        // Where a head begins is not known behind an escape.
        if token.head.1 > 0 && before.ends_with(|c: char| c.is_ascii_alphanumeric()) {
            continue;
        }
        let text = [before.as_bytes(), made, after.as_bytes()].concat();
        let at = before.len() + token.head.1;
        if !anchor.starts(&text[at..]) {
            wrong.insert((token.kind, "anchor"));
        }
        if token.find(&text, at) != Some(before.len()..before.len() + made.len()) {
            wrong.insert((token.kind, "not found"));
        }
    }
}

fn look_alikes(token: &Token, made: &[u8], wrong: &mut Wrong) {
    let at = token.head.1;
    let body = at + token.fixed.len();
    let mut template = made.to_vec();
    template[body..].fill(b'x');
    template[..at].fill(b'x');
    let word = [b"a", made].concat();
    let short = &made[..body + token.body.0.saturating_sub(1)];
    let in_a_word = at == 0 && token.begins_a_word() && token.find(&word, 1).is_some();
    if token.find(&template, at).is_some() || in_a_word {
        wrong.insert((token.kind, "look-alike"));
    }
    if token.body.0 > 1 && token.find(short, at).is_some() {
        wrong.insert((token.kind, "short"));
    }
}
