//! Tables of tokens that are known by a fixed piece, grouped by what they open. Each row names its issuer's public
//! documentation; examples are made when the tests run, so that nothing that looks like a token stands in the repository.

mod clouds;
mod code;
mod messages;
mod models;
mod operations;
mod payments;
mod vaults;

use super::token::Token;

/// The detectors that consist of a table alone.
pub(super) const GROUPS: [(&str, &[Token]); 8] = [
    ("cloud-token", clouds::TOKENS),
    ("code-host-token", code::HOSTS),
    ("message-token", messages::TOKENS),
    ("model-key", models::TOKENS),
    ("operations-token", operations::TOKENS),
    ("payment-key", payments::TOKENS),
    ("registry-token", code::REGISTRIES),
    ("vault-token", vaults::TOKENS),
];

/// The table of the detector of that name.
pub(super) fn group(name: &str) -> Option<&'static [Token]> {
    let mut groups = GROUPS.into_iter();
    groups.find_map(|(group, tokens)| (group == name).then_some(tokens))
}

const fn alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

const fn lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

const fn hex(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

/// Hex digits in groups.
const fn uuid(byte: u8) -> bool {
    hex(byte) || byte == b'-'
}

const fn digits(byte: u8) -> bool {
    byte.is_ascii_digit()
}

const fn url(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

/// Base64url in parts.
const fn dotted(byte: u8) -> bool {
    url(byte) || byte == b'.'
}

/// Base64, padded.
const fn padded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}
