//! Decoders in the simplest form, for tests. What they cannot decode they leave as it is.

/// Undoes percent-encoding.
pub(crate) fn percent(bytes: &[u8]) -> Vec<u8> {
    replaced(bytes, |rest| {
        let digits = rest.strip_prefix(b"%")?.get(..2)?;
        Some((3, vec![number(digits, 16)?.try_into().ok()?]))
    })
}

/// The same, where a plus stands for a space.
pub(crate) fn percent_and_plus(bytes: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent(&spaced)
}

/// Undoes the escapes of a JSON string.
pub(crate) fn json(bytes: &[u8]) -> Vec<u8> {
    replaced(bytes, |rest| {
        let after = rest.strip_prefix(b"\\")?;
        match after.first()? {
            b'n' => Some((2, vec![b'\n'])),
            b't' => Some((2, vec![b'\t'])),
            b'u' => {
                let unit = |at: usize| {
                    u16::try_from(number(rest.get(at..at + 6)?.strip_prefix(b"\\u")?, 16)?).ok()
                };
                let first = unit(0)?;
                let all: Vec<u16> = [Some(first), unit(6)].into_iter().flatten().collect();
                let one = char::decode_utf16(all).next()?.ok()?;
                Some((6 * one.len_utf16(), one.to_string().into_bytes()))
            }
            other => Some((2, vec![*other])),
        }
    })
}

/// Undoes HTML's character references.
pub(crate) fn entities(bytes: &[u8]) -> Vec<u8> {
    replaced(bytes, |rest| {
        let end = rest.iter().take(12).position(|byte| *byte == b';')?;
        let name = rest.get(1..end).filter(|_| rest.starts_with(b"&"))?;
        let one = match name {
            b"amp" => '&',
            b"lt" => '<',
            b"gt" => '>',
            b"quot" => '"',
            [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
            [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
            _ => return None,
        };
        Some((end + 1, one.to_string().into_bytes()))
    })
}

/// Writes `to` for each `from`.
pub(crate) fn quoted(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    replaced(bytes, |rest| {
        rest.starts_with(from).then(|| (from.len(), to.to_vec()))
    })
}

/// Undoes hex digits, with whatever stands between the pairs.
pub(crate) fn hex_digits(bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_hexdigit() || *byte == b'*')
        .collect();
    digits
        .chunks(2)
        .map(|pair| {
            number(pair, 16)
                .and_then(|it| u8::try_from(it).ok())
                .unwrap_or(b'*')
        })
        .collect()
}

/// Undoes base32 without padding.
pub(crate) fn undo_base32(bytes: &[u8]) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'2'..=b'7' => byte - b'2' + 26,
        _ => 0,
    };
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..5).rev().map(move |at| value(*byte) >> at & 1))
        .collect();
    bits.chunks_exact(8)
        .map(|bits| bits.iter().fold(0, |all, bit| all << 1 | bit))
        .collect()
}

/// UTF-8 of UTF-16 or UTF-32.
pub(crate) fn ucs(bytes: &[u8], width: usize, big: bool) -> Vec<u8> {
    let one = |unit: &[u8]| {
        let all = unit.iter().map(|byte| u32::from(*byte));
        if big {
            all.fold(0, |all, byte| all << 8 | byte)
        } else {
            all.rev().fold(0, |all, byte| all << 8 | byte)
        }
    };
    let units = bytes.chunks_exact(width).map(one);
    if width == 4 {
        return units
            .filter_map(char::from_u32)
            .collect::<String>()
            .into_bytes();
    }
    let units: Vec<u16> = units.filter_map(|unit| u16::try_from(unit).ok()).collect();
    String::from_utf16_lossy(&units).into_bytes()
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

fn replaced(bytes: &[u8], one: impl Fn(&[u8]) -> Option<(usize, Vec<u8>)>) -> Vec<u8> {
    let (mut text, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if let Some((length, bytes)) = one(&bytes[at..]) {
            text.extend(bytes);
            at += length;
        } else {
            text.push(bytes[at]);
            at += 1;
        }
    }
    text
}
