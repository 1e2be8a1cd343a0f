//! Tests of the judgement of names.

use proptest::collection::vec;
use proptest::prelude::*;

use super::is_telling;
use super::lists::{ANYWHERE, ENDS, ORDINARY, WHOLE};

fn text(word: &[u8]) -> String {
    String::from_utf8(word.to_vec()).unwrap()
}

fn title(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn exceptions_are_never_taken() {
    for name in [
        "PATH",
        "PWD",
        "OLDPWD",
        "SECRET_PATH",
        "TOKEN_DIR",
        "SSH_AUTH_SOCK",
        "secret_path",
        "AUTH_SERVICE_HOST",
        "TOKEN_SERVICE_PORT",
        "TOKEN_SERVICE_PORT_HTTPS",
        "SECRET_STORE_PORT",
        "KEY_PORT_443_TCP",
        "KEY_PORT_443_TCP_ADDR",
        "KEY_PORT_53_UDP_PROTO",
        "PASS_PORT_9_SCTP_PORT",
    ] {
        assert!(!is_telling(name.as_bytes()), "{name}");
    }
}

#[test]
fn names_that_only_resemble_exceptions_are_taken() {
    for name in [
        "SECRET_PATHS",
        "TOKENPATH",
        "MY_PWD",
        "pwd",
        "AUTH_SERVICE_HOST_KEY",
        "auth_service_host_token",
        "PASS_PORT_X_TCP_KEY",
        "KEY_PORT_443_TCP_PASS",
        "_SERVICE_HOST_SECRET",
    ] {
        assert!(is_telling(name.as_bytes()), "{name}");
    }
}

#[test]
fn ordinary_words_end_so_and_tell_nothing() {
    for word in ORDINARY {
        let is_ordinary = ENDS.iter().any(|end| word.as_bytes().ends_with(end));
        assert!(is_ordinary, "{word}");
        for name in [
            word.to_owned(),
            word.to_uppercase(),
            title(word),
            format!("MY_{}_2", word.to_uppercase()),
        ] {
            assert!(!is_telling(name.as_bytes()), "{name}");
        }
    }
    assert!(!is_telling(b"MONKEYS") && is_telling(b"COMMONKEYS"));
}

fn telling_word() -> impl Strategy<Value = String> {
    let words = ANYWHERE.iter().chain(&WHOLE).map(|word| text(word));
    prop::sample::select(words.collect::<Vec<_>>())
}

/// Words without any telling one in them.
fn plain_word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "app", "db", "x", "redis", "my", "prod", "host", "name", "level", "url",
    ])
    .prop_map(str::to_owned)
}

/// Words joined in one of the usual ways.
fn joined(words: &[String], style: usize) -> String {
    let upper = || words.iter().map(|word| word.to_uppercase());
    match style {
        0 => upper().collect::<Vec<_>>().join("_"),
        1 => words.join("-"),
        2 => words.join("."),
        3 => words.iter().map(|word| title(word)).collect(),
        4 => upper().collect::<Vec<_>>().join("__"),
        5 => words.join("_"),
        _ => words
            .iter()
            .map(|word| title(word))
            .collect::<Vec<_>>()
            .join("_"),
    }
}

proptest! {
    #[test]
    fn a_telling_word_counts_in_every_style(
        mut words in vec(plain_word(), 0..4),
        at in any::<prop::sample::Index>(),
        word in telling_word(),
        style in 0usize..7,
    ) {
        words.insert(at.index(words.len() + 1), word);
        let name = joined(&words, style);
        prop_assume!(!matches!(name.as_str(), "PWD"));
        prop_assert!(is_telling(name.as_bytes()), "{}", name);
    }

    #[test]
    fn plain_words_tell_nothing_in_any_style(words in vec(plain_word(), 1..5), style in 0usize..7) {
        let name = joined(&words, style);
        prop_assert!(!is_telling(name.as_bytes()), "{}", name);
    }

    #[test]
    fn a_short_end_counts_in_longer_words(prefix in "[A-Z]{1,6}", end in prop::sample::select(vec!["KEY", "PASS", "AUTH"])) {
        let name = prefix + end;
        prop_assume!(!ORDINARY.contains(&name.to_lowercase().as_str()));
        prop_assert!(is_telling(name.as_bytes()), "{}", name);
    }

    #[test]
    fn any_bytes_are_judged(name in vec(any::<u8>(), 0..60)) {
        is_telling(&name);
    }
}
