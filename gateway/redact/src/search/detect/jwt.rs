//! JSON Web Tokens in the compact serialisation (RFC 7515, 7.1; RFC 7516 for the encrypted ones), and among them those of
//! Kubernetes service accounts.

use std::ops::Range;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use gateway_core::one_line;
use serde_json::{Map, Value};

use super::super::anchor::Anchor;
use super::super::encode;
use super::Probe;
use super::known::Text;
use super::text::{is_base64url, run, run_back};

/// Bytes of a claim that are told.
const CLAIM_MAX: usize = 200;
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";
const HEADER_MAX: usize = 2048;
const PART_MAX: usize = 1 << 14;
/// The shortest anchor.
const ANCHOR: usize = 6;
/// A field that every header has.
const ALGORITHM: &[u8] = b"\"alg\"";

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A token's second and third part, and its payload.
struct Token {
    secret: Range<usize>,
    payload: Range<usize>,
}

/// The claims of a token that are told.
#[derive(Debug, Default)]
pub(in super::super) struct Claims {
    /// The beginning of its header.
    pub(in super::super) start: usize,
    pub(in super::super) issuer: Option<String>,
    pub(in super::super) expires: Option<jiff::Timestamp>,
    /// The service account of Kubernetes that it is for.
    pub(in super::super) service_account: Option<String>,
}

/// Reads the token whose second and third part stand at `span`.
pub(in super::super) fn token_of(text: &[u8], span: &Range<usize>) -> Claims {
    let header_end = span.start.saturating_sub(1);
    let start = run_back(text, header_end, HEADER_MAX, is_base64url);
    let payload_end = run(text, span.start, PART_MAX, is_base64url);
    let claims = text.get(span.start..payload_end).and_then(object);
    let claims = claims.unwrap_or_default();
    let text_of = |claim: &str| claims.get(claim).and_then(Value::as_str);
    let expires = claims.get("exp").and_then(|exp| {
        let whole = exp
            .as_i64()
            .or_else(|| exp.as_number()?.to_string().split('.').next()?.parse().ok());
        jiff::Timestamp::from_second(whole?).ok()
    });
    let account = text_of("sub").filter(|subject| subject.starts_with(SERVICE_ACCOUNT));
    Claims {
        start,
        issuer: text_of("iss").map(|issuer| one_line(issuer, CLAIM_MAX)),
        expires,
        service_account: account.map(|account| one_line(account, CLAIM_MAX)),
    }
}

pub(super) fn probes() -> Vec<Probe> {
    anchors()
        .into_iter()
        .map(|anchor| (anchor, any as super::Verify))
        .collect()
}

pub(super) fn kubernetes_probes() -> Vec<Probe> {
    anchors()
        .into_iter()
        .map(|anchor| (anchor, of_kubernetes as super::Verify))
        .collect()
}

/// `"alg"` in base64: its place in the header decides between three ways to write it.
fn anchors() -> Vec<Anchor> {
    let forms = (0..3).filter_map(|shift| encode::base64(&URL_SAFE_NO_PAD, ALGORITHM, shift));
    forms.map(|form| Anchor::literal(&form.bytes)).collect()
}

fn any(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    token(text, at).map(|token| token.secret)
}

/// The issuer of old tokens, or the claim that bound ones have ("Managing Service Accounts" in its documentation).
fn of_kubernetes(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let token = token(text, at)?;
    let claims = object(text.get(token.payload)?)?;
    let issuer = claims.get("iss").and_then(Value::as_str);
    let subject = claims.get("sub").and_then(Value::as_str);
    let bound = claims.get("kubernetes.io").is_some_and(Value::is_object);
    let is_account = subject.is_some_and(|subject| subject.starts_with(SERVICE_ACCOUNT));
    (issuer == Some("kubernetes/serviceaccount") || bound || is_account).then_some(token.secret)
}

/// The token around the anchor at `at`. The header stays readable: it holds no secret.
fn token(text: &Text<'_>, at: usize) -> Option<Token> {
    is_first(text, at).then_some(())?;
    let header_end = text.run(at, HEADER_MAX, is_base64url);
    (text.get(header_end) == Some(&b'.')).then_some(())?;
    let start = run_back(text, at, HEADER_MAX, is_base64url);
    is_header(text.get(start..header_end)?).then_some(())?;
    let payload = header_end + 1..run(text, header_end + 1, PART_MAX, is_base64url);
    (text.get(payload.end) == Some(&b'.')).then_some(())?;
    let mut end = run(text, payload.end + 1, PART_MAX, is_base64url);
    // An encrypted token has five parts.
    for _ in 0..2 {
        let next = run(text, end + 1, PART_MAX, is_base64url);
        if text.get(end) == Some(&b'.') && next > end + 16 {
            end = next;
        }
    }
    (payload.len() >= 2 || end > payload.end + 16).then_some(Token {
        secret: payload.start..end,
        payload,
    })
}

/// Of several anchors in one header the first decides: a text full of them must not be decoded over and over.
fn is_first(text: &[u8], at: usize) -> bool {
    let before = text
        .get(at.saturating_sub(HEADER_MAX)..at)
        .unwrap_or_default();
    let anchor = text.get(at..at + ANCHOR).unwrap_or_default();
    let last = memchr::memmem::rfind(before, anchor).and_then(|last| before.get(last..));
    !last.is_some_and(|between| between.iter().all(|&byte| is_base64url(byte)))
}

/// Whether it decodes to a header, with or without something before it that only looks like base64: `%3DeyJ...`.
fn is_header(run: &[u8]) -> bool {
    // `{` and a quote, or a space of any kind.
    let starts = memchr::memchr_iter(b'e', run)
        .filter(|&e| matches!(run.get(e + 1), Some(b'y' | b'w')))
        .take(8);
    starts
        .filter_map(|start| object(run.get(start..)?))
        .any(|header| header.get("alg").is_some_and(Value::is_string))
}

fn object(part: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(&LENIENT.decode(part).ok()?).ok()
}
