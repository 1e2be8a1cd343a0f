//! Credentials in HTTP headers: Basic (RFC 7617), Bearer (RFC 6750, 2.1) and the scheme of Discord's bots.

use std::ops::Range;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::super::anchor::Anchor;
use super::Probe;
use super::known::Text;
use super::text::{before, is_base64, run, set};
use super::token::is_varied;

const BASIC_MAX: usize = 2048;
const TOKEN_MAX: usize = 1 << 13;
const TOKEN_MIN: usize = 16;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn probes() -> Vec<Probe> {
    vec![
        (
            Anchor::literal(b"asic ").then(set(is_base64)),
            basic as super::Verify,
        ),
        (Anchor::literal(b"earer ").then(set(is_token)), bearer),
        (Anchor::literal(b"Bot ").then(set(is_token)), bot),
    ]
}

fn is_token(byte: u8) -> bool {
    is_base64(byte) || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn basic(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    matches!(before(text, at), Some(b'B' | b'b')).then_some(())?;
    pair(text, at + b"asic ".len())
}

/// The base64 of `user:password` at `start`, with its padding.
pub(super) fn pair(text: &[u8], start: usize) -> Option<Range<usize>> {
    let end = run(text, start, BASIC_MAX, is_base64);
    let decoded = LENIENT.decode(text.get(start..end)?).ok()?;
    let colon = memchr::memchr(b':', &decoded)?;
    let is_text = std::str::from_utf8(&decoded).is_ok_and(|pair| !pair.contains(char::is_control));
    let padded = run(text, end, 2, |byte| byte == b'=');
    (is_text && colon + 1 < decoded.len()).then_some(start..padded)
}

fn bearer(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    matches!(before(text, at), Some(b'B' | b'b')).then_some(())?;
    let start = at + b"earer ".len();
    let end = run(text, start, TOKEN_MAX, is_token);
    let padded = run(text, end, 2, |byte| byte == b'=');
    let token = text.get(start..end)?;
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    (token.len() >= TOKEN_MIN && digits > 0 && is_varied(token)).then_some(start..padded)
}

/// Discord, developer documentation, "Authentication": three parts, the first of them the bot's id in base64.
fn bot(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = at + b"Bot ".len();
    let end = run(text, start, 128, is_token);
    let token = text.get(start..end)?;
    let parts: Vec<usize> = token.split(|&byte| byte == b'.').map(<[u8]>::len).collect();
    matches!(parts.as_slice(), [18..=32, 6, 27..=64]).then_some(start..end)
}
