//! X.509 certificates (RFC 5280): who issued them to whom, and when they expire.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_core::one_line;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::sightings::About;

/// The kind of certificates, and the name of the rules that find them.
pub(crate) const CERTIFICATE: &str = "certificate";
/// The longest certificate in PEM, in bytes.
const MAX_PEM: usize = 32 << 10;
/// Bytes of a name.
const MAX_NAME: usize = 200;
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END";

/// Expressions for a certificate in PEM, and for the beginning of one in DER: two sequences, then version 3 and a number.
pub(crate) const EXPRESSIONS: [&str; 2] = [
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\ \t\r\n]+-----END CERTIFICATE",
    r"(?s-u)\x30\x82..\x30(?:\x82..|\x81.)\xa0\x03\x02\x01\x02\x02",
];

/// Describes the certificate with which `text` begins.
pub(super) fn read(text: &[u8]) -> About {
    let decoded = text.strip_prefix(BEGIN).map(decode);
    let der = match &decoded {
        Some(der) => der.as_deref(),
        None => Some(text),
    };
    let parsed = der.and_then(|der| X509Certificate::from_der(der).ok());
    let Some((_, certificate)) = parsed else {
        return About {
            kind: CERTIFICATE,
            ..About::default()
        };
    };
    let constraints = certificate.basic_constraints().ok().flatten();
    let name = |name: String| Some(one_line(&name, MAX_NAME)).filter(|name| !name.is_empty());
    let not_after = certificate.validity().not_after.timestamp();
    About {
        kind: CERTIFICATE,
        issuer: name(certificate.issuer().to_string()),
        subject: name(certificate.subject().to_string()),
        expires: jiff::Timestamp::from_second(not_after).ok(),
        is_authority: constraints.is_some_and(|constraints| constraints.value.ca),
        ..About::default()
    }
}

/// The contents of a PEM block, which may stand in a text with `\n` for line ends.
fn decode(body: &[u8]) -> Option<Vec<u8>> {
    let body = body.get(..MAX_PEM).unwrap_or(body);
    let end = memchr::memmem::find(body, END)?;
    let mut text = Vec::new();
    let mut bytes = body.get(..end)?.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            byte if byte.is_ascii_whitespace() => {}
            byte => text.push(byte),
        }
    }
    STANDARD.decode(text).ok()
}
