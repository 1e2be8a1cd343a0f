//! Keys of Google Cloud: API keys, OAuth client secrets and tokens, and the private key of a service account's JSON file
//! ("Manage API keys", "Token types" and "Create and delete service account keys" in its documentation).

use std::ops::Range;

use super::super::anchor::Anchor;
use super::known::Text;
use super::text::{assigned, is_base64url, set, token};
use super::{Probe, pem};

const API_KEY: usize = 35;
const CLIENT_SECRET: usize = 28;
const TOKEN: Range<usize> = 30..1025;

pub(super) fn probes() -> Vec<Probe> {
    vec![
        (Anchor::literal(b"AIza").then(set(is_base64url)), api_key),
        (Anchor::literal(b"GOCSPX-"), client_secret),
        (Anchor::literal(b"ya29."), access_token),
        (Anchor::literal(b"\"private_key\""), private_key),
    ]
}

fn api_key(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    token(text, at, at + 4, API_KEY..API_KEY + 1, is_base64url)
}

fn client_secret(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    token(
        text,
        at,
        at + 7,
        CLIENT_SECRET..CLIENT_SECRET + 1,
        is_base64url,
    )
}

fn access_token(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    token(text, at, at + 5, TOKEN, is_base64url)
}

fn private_key(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = assigned(text, at + b"\"private_key".len())?;
    let armour = text.get(start..)?.strip_prefix(b"-----BEGIN ")?;
    let label = armour.iter().take(24).position(|&byte| byte == b'-')?;
    armour
        .get(..label)?
        .ends_with(b"PRIVATE KEY")
        .then_some(())?;
    pem::body(text, start + b"-----BEGIN ".len() + label + b"-----".len())
}
