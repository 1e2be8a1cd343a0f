//! Lays the numbers in CRIU's images out as bytes, without a schema: fields in a row, those of one message, and the halves of
//! vector registers put together.

use std::collections::BTreeMap;

use super::view::View;

/// The first four bytes of images that have four more of their kind.
const MAGIC: [u32; 2] = [0x5456_4319, 0x5510_5940];

/// A field's number and its value.
type Field<'a> = (u64, Value<'a>);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// All numbers of an image, as text can stand in them.
pub fn laid_out(name: &str, image: &[u8]) -> Vec<View> {
    let mut views = Vec::new();
    for (at, entry) in entries(name, image).iter().enumerate() {
        let mut add = |path: &str, bytes: Vec<u8>| {
            let name = format!("{name} (numbers {at}{path})");
            views.push(View { name, bytes });
        };
        lists(entry, "", &mut add);
    }
    views
}

/// The messages of an image. Contents behind a message of a queue are as long as it says; behind others they end the image.
fn entries<'a>(name: &str, image: &'a [u8]) -> Vec<Vec<Field<'a>>> {
    let word = |at: usize| {
        let bytes = image.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().unwrap()))
    };
    let mut at = if word(0).is_some_and(|word| MAGIC.contains(&word)) {
        8
    } else {
        4
    };
    let mut entries = Vec::new();
    while let Some(length) = word(at) {
        let (start, end) = (at + 4, at + 4 + length as usize);
        let Some(message) = image.get(start..end).and_then(parse) else {
            break;
        };
        at = end;
        if let [(1, Value::Number(_)), (2, Value::Number(length)), ..] = &message[..]
            && name.contains("ipcns-msg-")
        {
            at += usize::try_from(*length).unwrap().next_multiple_of(8);
        }
        entries.push(message);
    }
    entries
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..70).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 127).checked_shl(shift)?;
        if *byte < 128 {
            return Some(number);
        }
    }
    None
}

/// The fields of a message; `None` where it is none.
fn parse(mut bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let mut take = |length: usize| {
            let (taken, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            Some(taken)
        };
        let fixed = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut bytes)?),
            1 => Value::Number(fixed(take(8)?)),
            5 => Value::Number(fixed(take(4)?)),
            2 => {
                let length = varint(&mut bytes)?;
                let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
                bytes = rest;
                Value::Bytes(taken)
            }
            _ => return None,
        };
        if tag >> 3 == 0 {
            return None;
        }
        fields.push((tag >> 3, value));
    }
    Some(fields)
}

fn bytes_of(numbers: &[u64], width: usize) -> Vec<u8> {
    let bytes = numbers.iter().map(|number| number.to_le_bytes());
    bytes
        .flat_map(|bytes| bytes.into_iter().take(width))
        .collect()
}

fn lists(fields: &[Field<'_>], path: &str, add: &mut impl FnMut(&str, Vec<u8>)) {
    let mut by_field: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut row = Vec::new();
    let mut xsave = None;
    for (field, value) in fields {
        match value {
            Value::Number(number) => {
                by_field.entry(*field).or_default().push(*number);
                row.push(*number);
            }
            Value::Bytes(bytes) => {
                let Some(inner) = parse(bytes) else { continue };
                lists(&inner, &format!("{path}.{field}"), add);
                if (path, *field) == (".2.3", 13) {
                    xsave = Some(inner);
                }
            }
        }
    }
    for width in [4, 8] {
        add(&format!("{path}.*"), bytes_of(&row, width));
        for (field, numbers) in &by_field {
            add(&format!("{path}.{field}"), bytes_of(numbers, width));
        }
    }
    if let (Some(xmm), Some(xsave)) = (by_field.get(&10), xsave) {
        add(&format!("{path} vectors"), vectors(xmm, &xsave));
    }
}

/// The registers 0 to 15, whole: `xmm_space`, `ymmh_space` and `zmm_upper`.
fn vectors(xmm: &[u64], xsave: &[Field<'_>]) -> Vec<u8> {
    let list = |wanted: u64, width: usize| {
        let values = xsave.iter().filter_map(|(field, value)| match value {
            Value::Number(number) if *field == wanted => Some(*number),
            _ => None,
        });
        bytes_of(&values.collect::<Vec<_>>(), width)
    };
    let parts = [(bytes_of(xmm, 4), 16), (list(2, 4), 16), (list(6, 8), 32)];
    let part = |register: usize| {
        let parts = parts.iter();
        parts.flat_map(move |(bytes, size)| bytes.iter().skip(register * size).take(*size))
    };
    (0..16).flat_map(part).copied().collect()
}
