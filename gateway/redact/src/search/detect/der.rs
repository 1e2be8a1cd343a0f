//! Private keys in DER, known by their structure: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017, A.1.2) and SEC 1 (RFC 5915). Each
//! is a SEQUENCE whose header, two to four bytes long, stands right before the version, where the anchors begin.

use std::ops::Range;

use super::super::anchor::Anchor;
use super::super::bytes::ByteSet;
use super::Probe;
use super::known::Text;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// Version 0 or, for PKCS#8 with a public key, 1; then the algorithm, a SEQUENCE that begins with an identifier.
const PKCS8: [(&[u8], &[u8]); 3] = [
    // rsaEncryption (RFC 8017)
    (
        &[
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
        ],
        &[],
    ),
    // id-ecPublicKey (RFC 5480); the SEQUENCE's length depends on the curve
    (
        &[0x30],
        &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
    ),
    // id-X25519, id-X448, id-Ed25519, id-Ed448 (RFC 8410)
    (&[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65], &[]),
];
const RSA_MODULUS_MIN: usize = 64;
const EC_KEYS: [usize; 6] = [24, 28, 32, 48, 65, 66];

pub(super) fn probes() -> Vec<Probe> {
    let version = |versions: &[u8]| {
        Anchor::literal(&[INTEGER, 1]).then(ByteSet::of(versions.iter().copied()))
    };
    let mut probes: Vec<Probe> = Vec::new();
    for (start, rest) in PKCS8 {
        let anchor = version(&[0, 1]).then_literal(start);
        let anchor = if rest.is_empty() {
            anchor
        } else {
            anchor.then(ByteSet::of(0x0a..=0x1f))
        };
        probes.push((anchor.then_literal(rest), pkcs8));
    }
    // A modulus of up to 127 bytes has one byte of length and is too short to be safe, but still a secret.
    let modulus = ByteSet::of([0x81, 0x82, 0x40, 0x41]);
    probes.push((version(&[0]).then_literal(&[INTEGER]).then(modulus), pkcs1));
    probes.push((
        version(&[1])
            .then_literal(&[OCTETS])
            .then(ByteSet::of([24, 28, 32, 48, 65, 66])),
        sec1,
    ));
    probes
}

/// Version, algorithm, and the key in an OCTET STRING, which is hidden.
fn pkcs8(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let end = outer_end(text, at)?;
    let algorithm = element(text, at + 3, SEQUENCE)?;
    let key = element(text, algorithm.end, OCTETS)?;
    (key.end <= end && key.len() >= 32).then_some(key)
}

/// Version, modulus, public exponent, and then six numbers, which are hidden.
fn pkcs1(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let end = outer_end(text, at)?;
    let modulus = element(text, at + 3, INTEGER)?;
    let exponent = element(text, modulus.end, INTEGER)?;
    let private = element(text, exponent.end, INTEGER)?;
    let first = element(text, private.end, INTEGER)?;
    let plausible = modulus.len() >= RSA_MODULUS_MIN
        && exponent.len() <= 8
        && private.len() <= modulus.len()
        && private.len() > modulus.len() / 2
        && first.len() * 2 <= modulus.len() + 4;
    (plausible && first.end <= end).then_some(private.start..end)
}

/// Version 1, and the key in an OCTET STRING, which is hidden. The curve or the public key must follow.
fn sec1(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let end = outer_end(text, at)?;
    let key = element(text, at + 3, OCTETS)?;
    let followed = matches!(text.get(key.end), Some(0xa0 | 0xa1)) && key.end < end;
    (followed && EC_KEYS.contains(&key.len())).then_some(key)
}

/// The end of the SEQUENCE whose content begins at `at`.
fn outer_end(text: &[u8], at: usize) -> Option<usize> {
    let ends = (2..=4).filter_map(|header| {
        let content = element(text, at.checked_sub(header)?, SEQUENCE)?;
        (content.start == at && content.len() >= 32).then_some(content.end)
    });
    ends.max()
}

/// The content of the element with this tag at `at`, in DER's shortest form of a length, as long as it lies in the text.
fn element(text: &[u8], at: usize, tag: u8) -> Option<Range<usize>> {
    let header = text.get(at..)?;
    let (start, length) = match *header.get(..4)? {
        [first, ..] if first != tag => return None,
        [_, 0x81, length, _] if length >= 0x80 => (at + 3, usize::from(length)),
        [_, 0x82, high, low] if high > 0 => (at + 4, usize::from(high) << 8 | usize::from(low)),
        [_, length, ..] if length < 0x80 => (at + 2, usize::from(length)),
        _ => return None,
    };
    text.get(start..start + length)
        .map(|_| start..start + length)
}
