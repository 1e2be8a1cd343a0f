//! Keys of Azure: storage and service bus connection strings, shared access signatures, client secrets ("Configure
//! connection strings", "Create a service SAS" and the sensitive information types of Microsoft Purview).

use std::ops::Range;

use super::super::anchor::Anchor;
use super::Probe;
use super::known::Text;
use super::text::{before, is_base64, is_mixed, run, run_back, set};

/// 64 and 32 bytes in base64.
const KEYS: [usize; 2] = [88, 44];
const CLIENT_SECRET: Range<usize> = 37..41;
const SIGNATURE: Range<usize> = 43..140;

pub(super) fn probes() -> Vec<Probe> {
    let digit = set(|byte| byte.is_ascii_digit());
    let client = set(is_client);
    let mut probes: Vec<Probe> = [&b"AccountKey="[..], b"AccessKey=", b"AZURE_STORAGE_KEY="]
        .map(|name| (Anchor::literal(name), key as super::Verify))
        .into();
    let client = Anchor::literal(b"")
        .then(client)
        .then(digit)
        .then_literal(b"Q~")
        .then(client);
    probes.push((client, client_secret));
    probes.push((Anchor::literal(b"sig=").then(set(is_signature)), signature));
    probes
}

fn key(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = run(text, at, 24, |byte| byte != b'=') + 1;
    let end = run(text, start, 89, is_base64);
    let padded = run(text, end, 3, |byte| byte == b'=');
    let known = KEYS.contains(&(padded - start)) && (1..=2).contains(&(padded - end));
    (known && is_mixed(text.get(start..end)?)).then_some(start..padded)
}

fn is_client(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~' | b'.' | b'-')
}

/// Three characters, a digit, `Q~`, and 31 to 34 more.
fn client_secret(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = at
        .checked_sub(2)
        .filter(|&start| run_back(text, at, 3, is_client) == start)?;
    let end = run(text, start, CLIENT_SECRET.end, is_client);
    let whole =
        CLIENT_SECRET.contains(&(end - start)) && !before(text, start).is_some_and(is_client);
    (whole && is_mixed(text.get(start..end)?)).then_some(start..end)
}

fn is_signature(byte: u8) -> bool {
    is_base64(byte) || byte == b'%'
}

/// The signature of a shared access signature: 32 bytes in base64, percent-encoded, among the parameters of a query.
fn signature(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    matches!(before(text, at), Some(b'?' | b'&')).then_some(())?;
    let start = at + 4;
    let end = run(text, start, SIGNATURE.end, is_signature);
    let end = run(text, end, 1, |byte| byte == b'=');
    let found = text.get(start..end)?;
    let padded = found.ends_with(b"%3D") || found.ends_with(b"%3d") || found.ends_with(b"=");
    (SIGNATURE.contains(&found.len()) && padded && is_mixed(found)).then_some(start..end)
}
