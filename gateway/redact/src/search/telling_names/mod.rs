//! Judges names of environment variables: whether a name says that the value is a secret.
//!
//! The detector `telling-names`. Globs of a plan never come here: they mean what they say, and no exception holds against
//! them.

mod cut;
mod lists;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use memchr::memmem::Finder;

use cut::Cut;
use lists::{ANYWHERE, ENDS, LAST, ORDINARY, PHRASES, PLACES, WHOLE};

/// [`ANYWHERE`], prepared: a hostile environment has millions of names.
static FINDERS: LazyLock<[Finder<'static>; ANYWHERE.len()]> =
    LazyLock::new(|| ANYWHERE.map(Finder::new));

/// The words by group: the group's name, the words, and an example of a name.
pub(super) fn groups() -> [(&'static str, String, &'static str); 5] {
    let joined = |words: &[&[u8]]| {
        let words = words.iter().map(|word| String::from_utf8_lossy(word));
        words.collect::<Vec<_>>().join(" ")
    };
    [
        ("anywhere", joined(&ANYWHERE), "DB_PASSWORD"),
        ("whole words", joined(&WHOLE), "GITHUB_PAT"),
        ("end of a word", joined(&ENDS), "DBPASS"),
        ("last word", joined(&LAST), "STRIPE_SK"),
        ("words together", joined(&PHRASES), "PERSONAL_ACCESS"),
    ]
}

/// Whether the name says that its value is a secret.
pub(super) fn is_telling(name: &[u8]) -> bool {
    let by_case = Cut::by_case(name);
    if is_excepted(name, &by_case) {
        return false;
    }
    // Letters in odd cases (`dBpAsS`) are cut at nothing but separators and digits.
    let by_separators = Cut::by_separators(name);
    tells(&by_case) || by_separators != by_case && tells(&by_separators)
}

fn tells(cut: &Cut) -> bool {
    FINDERS.iter().any(|word| cut.has_anywhere(word))
        || WHOLE.iter().any(|word| cut.has_word(word))
        || PHRASES.iter().any(|phrase| cut.has_phrase(phrase))
        || LAST.iter().any(|word| cut.last_word() == *word)
        || cut.words().any(ends_telling)
}

/// Whether it is a longer word that ends as `DBPASS` and `APIKEYS` do, and no ordinary one.
fn ends_telling(word: &[u8]) -> bool {
    let one = match word.strip_suffix(b"s") {
        Some(one) if one.ends_with(b"key") => one,
        _ => word,
    };
    let ends = |end: &&[u8]| one.len() > end.len() && one.ends_with(end);
    ENDS.iter().any(ends) && !ORDINARY.iter().any(|word| word.as_bytes() == one)
}

/// Names that are never taken: those of places, and those that Kubernetes gives to each container.
fn is_excepted(name: &[u8], cut: &Cut) -> bool {
    matches!(name, b"PATH" | b"PWD" | b"OLDPWD")
        || PLACES.contains(&cut.last_word())
        || is_service_variable(name)
}

/// Kubernetes, "Service", environment variables: `NAME_SERVICE_HOST`, `NAME_SERVICE_PORT`, `NAME_SERVICE_PORT_HTTPS`, `NAME_PORT`,
/// `NAME_PORT_443_TCP`, `NAME_PORT_443_TCP_ADDR` and so on, in capitals.
fn is_service_variable(name: &[u8]) -> bool {
    let fits =
        |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_');
    let Some(name) = std::str::from_utf8(name)
        .ok()
        .filter(|name| name.bytes().all(|byte| fits(&byte)))
    else {
        return false;
    };
    let of_a_service = |end: &str| name.strip_suffix(end).is_some_and(|name| !name.is_empty());
    let named_port = name.split_once("_SERVICE_PORT_");
    of_a_service("_SERVICE_HOST")
        || of_a_service("_PORT")
        || named_port.is_some_and(|(name, port)| !name.is_empty() && !port.is_empty())
        || is_port_of_a_service(name)
}

/// `NAME_PORT_443_TCP`, perhaps with `_PROTO`, `_PORT` or `_ADDR` behind.
fn is_port_of_a_service(name: &str) -> bool {
    let ends = ["_PROTO", "_PORT", "_ADDR"];
    let name = ends
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    let protocols = ["_TCP", "_UDP", "_SCTP"];
    let number = protocols.iter().find_map(|end| name.strip_suffix(end));
    let parts = number.and_then(|name| name.rsplit_once("_PORT_"));
    parts.is_some_and(|(name, number)| {
        !name.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
