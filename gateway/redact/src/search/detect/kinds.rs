//! Tests of the tables of tokens, with examples of every kind that are made when the tests run.

use std::collections::BTreeSet;

use super::example::{Numbers, of_token};
use super::known::{Known, Text};
use super::token::Token;
use super::tokens::GROUPS;

/// A wrong kind, with the reason.
type Wrong = BTreeSet<(&'static str, &'static str)>;

#[test]
fn finds_examples_of_every_kind_and_no_look_alikes() {
    let mut numbers = Numbers::new(5);
    let mut wrong = Wrong::new();
    let tokens = || GROUPS.iter().flat_map(|(_, tokens)| tokens.iter());
    for token in tokens() {
        for length in [token.body.0, token.body.1.min(token.body.0 + 40)] {
            let made = of_token(token, length, &mut numbers);
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
        if find(token, &text, at) != Some(before.len()..before.len() + made.len()) {
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
    let in_a_word = at == 0 && token.begins_a_word() && find(token, &word, 1).is_some();
    if find(token, &template, at).is_some() || in_a_word {
        wrong.insert((token.kind, "look-alike"));
    }
    if token.body.0 > 1 && find(token, short, at).is_some() {
        wrong.insert((token.kind, "short"));
    }
}

fn find(token: &Token, text: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let known = Known::default();
    token.find(&Text::new(text, 0, &known), at)
}
