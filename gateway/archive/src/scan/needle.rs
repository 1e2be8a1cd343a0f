use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A value as itself, percent-encoded, and the part of its base64 that does not depend on what is around it, at each of
/// the three alignments.
pub(super) fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_vec()];
    let percent = percent(value);
    if percent != value {
        forms.push(percent);
    }
    for before in 0..3 {
        let text = STANDARD_NO_PAD.encode([vec![0; before], value.to_vec()].concat());
        let whole = (before + value.len()) * 8 / 6;
        let first = (before * 8).div_ceil(6);
        if let Some(inner) = text.as_bytes().get(first..whole).filter(|inner| inner.len() >= 4) {
            forms.push(inner.to_vec());
        }
    }
    forms
}

fn percent(value: &[u8]) -> Vec<u8> {
    let encode = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => vec![*byte],
        _ => format!("%{byte:02X}").into_bytes(),
    };
    value.iter().flat_map(encode).collect()
}
