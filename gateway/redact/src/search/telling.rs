//! The parts of a value that are secret: without a URL's scheme, host and path, PEM's first and last lines, and JSON's keys.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::common::{is_common, is_plain};
use super::credential::{credentials, decoded};

/// Documents inside strings of documents.
const DEPTH: u32 = 3;
/// The most bytes of a document that are read.
const DOCUMENT_MAX: usize = 256 << 10;
/// The base64 of `{"` and of `-----`, with which documents and keys begin.
const DOCUMENT_STARTS: [&[u8]; 3] = [b"ey", b"LS0tLS", b"ewog"];
/// Parts of a path that are shorter are names.
const PATH_PART_MIN: usize = 8;

static BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
static BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The parts of `value` of which a piece counts as found.
pub(super) fn telling_parts(value: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    add_parts(value, DEPTH, &mut parts);
    parts.retain(|part| !is_common(part));
    parts.sort();
    parts.dedup();
    parts
}

fn add_parts(value: &[u8], depth: u32, parts: &mut Vec<Vec<u8>>) {
    if is_common(value) {
        return;
    }
    if has(value, b"-----BEGIN ") {
        // Headers such as `Proc-Type: 4,ENCRYPTED` have a colon.
        let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let body = lines.filter(|line| !line.starts_with(b"-----") && !line.contains(&b':'));
        parts.extend(body.filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
    } else if let Some(document) = depth.checked_sub(1).and_then(|_| document(value)) {
        add_strings(&document, depth - 1, parts);
    } else if is_token(value) {
        // The header says the same in all tokens; the payload begins with a key.
        let mut segments = value.split(|byte| *byte == b'.').skip(1);
        parts.extend(
            segments
                .next()
                .and_then(|payload| payload.get(16..))
                .map(<[u8]>::to_vec),
        );
        parts.extend(segments.map(<[u8]>::to_vec));
    } else if let Some(inner) = depth.checked_sub(1).and_then(|_| encoded(value)) {
        add_parts(&inner, depth - 1, parts);
    } else {
        add_credentials(value, parts);
    }
}

/// The credentials of a URL or connection string and the parts of its path that are no names; anything else as a whole.
fn add_credentials(value: &[u8], parts: &mut Vec<Vec<u8>>) {
    let found = credentials(value);
    let is_url = scheme_end(value).is_some();
    let is_path = value.starts_with(b"/") && value.split(|byte| *byte == b'/').count() > 2;
    if found.is_empty() && !is_url && !is_path {
        parts.push(value.to_vec());
        return;
    }
    for range in found {
        let text = value.get(range).unwrap_or_default();
        parts.extend(decoded(text));
        parts.push(text.to_vec());
    }
    if is_url || is_path {
        let rest = value
            .get(scheme_end(value).unwrap_or_default()..)
            .unwrap_or_default();
        let segments = rest
            .split(|byte| b"/?#&=@:".contains(byte))
            .skip(usize::from(is_url));
        let telling = segments.filter(|part| part.len() >= PATH_PART_MIN && !is_name(part));
        parts.extend(telling.map(<[u8]>::to_vec));
    }
}

fn is_name(part: &[u8]) -> bool {
    std::str::from_utf8(part).is_ok_and(is_plain)
}

/// The end of a URL's `scheme://`.
fn scheme_end(value: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(value, b"://")?;
    let scheme = value.get(..end)?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.:".contains(byte);
    (!scheme.is_empty() && scheme.iter().all(fits)).then_some(end + 3)
}

fn document(value: &[u8]) -> Option<Value> {
    let begins = matches!(value.trim_ascii_start().first(), Some(b'{' | b'['));
    (begins && value.len() <= DOCUMENT_MAX).then_some(())?;
    serde_json::from_slice(value).ok()
}

fn add_strings(document: &Value, depth: u32, parts: &mut Vec<Vec<u8>>) {
    match document {
        Value::String(text) => add_parts(text.as_bytes(), depth, parts),
        Value::Array(all) => all.iter().for_each(|it| add_strings(it, depth, parts)),
        Value::Object(all) => all.values().for_each(|it| add_strings(it, depth, parts)),
        _ => {}
    }
}

/// Whether it is a JSON Web Token.
fn is_token(value: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    value.starts_with(b"eyJ")
        && value.split(|byte| *byte == b'.').count() >= 3
        && value.iter().all(fits)
}

/// A document or a key in base64.
fn encoded(value: &[u8]) -> Option<Vec<u8>> {
    let begins = DOCUMENT_STARTS.iter().any(|start| value.starts_with(start));
    (begins && value.len() <= DOCUMENT_MAX).then_some(())?;
    let text: Vec<u8> = value
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let inner = BASE64
        .decode(&text)
        .or_else(|_| BASE64_URL.decode(&text))
        .ok()?;
    (document(&inner).is_some() || has(&inner, b"-----BEGIN ")).then_some(inner)
}

fn has(value: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(value, wanted).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: &str) -> Vec<String> {
        let parts = telling_parts(value.as_bytes()).into_iter();
        parts.map(|part| String::from_utf8(part).unwrap()).collect()
    }

    #[test]
    fn a_plain_secret_is_one_part() {
        assert_eq!(parts("s3cr3t-value-Q"), ["s3cr3t-value-Q"]);
        assert_eq!(parts("/qUKZ8xW3tYb2LmN"), ["/qUKZ8xW3tYb2LmN"]);
        assert_eq!(parts("sslmode=prefer"), ["sslmode=prefer"]);
    }

    #[test]
    fn leaves_schemes_hosts_and_paths() {
        assert_eq!(
            parts("postgres://cart:p%40ss-w0rd@db.shop.svc:5432/cart"),
            ["p%40ss-w0rd", "p@ss-w0rd"]
        );
        assert_eq!(
            parts("https://hooks.example/services/T0AB/aBcDeFgHiJkL9x"),
            ["aBcDeFgHiJkL9x"]
        );
        assert_eq!(parts("https://login.example/realms/shop"), [""; 0]);
        assert_eq!(parts("/var/run/secrets/tokens/api"), [""; 0]);
    }

    #[test]
    fn leaves_the_frames_of_keys_and_the_keys_of_documents() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEvQ9x\nBgkq7z\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(parts(pem), ["Bgkq7z", "MIIEvQ9x"]);
        let json = r#"{"type":"file","private_key_id":"a8f5f167f44f","auth_uri":"https://login.example/auth"}"#;
        assert_eq!(parts(json), ["a8f5f167f44f"]);
        let base64 = base64::engine::general_purpose::STANDARD.encode(json);
        assert_eq!(parts(&base64), ["a8f5f167f44f"]);
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYXJ0In0xyz.c2lnbmF0dXJl9";
        assert_eq!(parts(token), ["In0xyz", "c2lnbmF0dXJl9"]);
    }
}
