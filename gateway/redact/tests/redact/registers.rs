//! Processor state as CRIU writes it, made up, and a decoder of its own that shares nothing with the redactor.

use std::collections::BTreeMap;

use crate::specimen::{image, message};

/// Addresses that must stay.
pub(crate) const STACK: u64 = 0x7ffd_1234_5678;
pub(crate) const CODE: u64 = 0x5555_5555_4321;

/// A field that holds bytes.
pub(crate) fn nested(number: u64, bytes: &[u8]) -> Vec<u8> {
    let tag = message(&[(number, 0)]);
    // The tag of a varint, made that of bytes; the length as a varint.
    let mut field = tag[..tag.len() - 1].to_vec();
    field[0] |= 2;
    field.extend(&message(&[(1, bytes.len() as u64)])[1..]);
    field.extend(bytes);
    field
}

pub(crate) fn repeated(number: u64, values: &[u64]) -> Vec<u8> {
    let fields: Vec<_> = values.iter().map(|value| (number, *value)).collect();
    message(&fields)
}

/// `bytes` as little-endian numbers of `width` bytes.
pub(crate) fn words(bytes: &[u8], width: usize) -> Vec<u64> {
    let word = |word: &[u8]| {
        word.iter()
            .rev()
            .fold(0, |all, byte| all << 8 | u64::from(*byte))
    };
    bytes.chunks(width).map(word).collect()
}

/// Registers as the processor has them, and as CRIU keeps them.
pub(crate) struct Registers {
    pub(crate) general: Vec<u64>,
    pub(crate) x87: Vec<u8>,
    /// 16 registers of 64 bytes.
    pub(crate) vectors: Vec<u8>,
    pub(crate) masks: Vec<u8>,
    /// Another 16 of 64 bytes.
    pub(crate) upper: Vec<u8>,
}

impl Registers {
    pub(crate) fn new() -> Self {
        let mut general = vec![0x7f00_1122_3344; 15];
        // orig_ax, ip, cs, flags, sp, ss, fs_base.
        general.extend([u64::MAX, CODE, 0x33, 0x246, STACK, 0x2b, 0x7f12_3456_7740]);
        Self {
            general,
            x87: vec![0; 128],
            vectors: vec![0; 1024],
            masks: vec![0; 64],
            upper: vec![0; 1024],
        }
    }

    /// `thread_info_x86`.
    pub(crate) fn x86(&self) -> Vec<u8> {
        let part = |from: usize, to: usize| -> Vec<u8> {
            let registers = self.vectors.chunks(64);
            registers.flat_map(|it| it[from..to].to_vec()).collect()
        };
        let general: Vec<_> = (1..).zip(self.general.iter().copied()).collect();
        let xsave = [
            message(&[(1, 0xe7)]),
            repeated(2, &words(&part(16, 32), 4)),
            repeated(5, &words(&self.masks, 8)),
            repeated(6, &words(&part(32, 64), 8)),
            repeated(7, &words(&self.upper, 8)),
            message(&[(8, 0x5555_5554)]),
        ];
        let floats = [
            message(&[(1, 0x37f), (7, 0x1f80), (8, 0xffff)]),
            repeated(9, &words(&self.x87, 4)),
            repeated(10, &words(&part(0, 16), 4)),
            nested(13, &xsave.concat()),
        ];
        [
            message(&[(1, 0x7f12_3456_7a10)]),
            nested(2, &message(&general)),
            nested(3, &floats.concat()),
        ]
        .concat()
    }
}

pub(crate) fn core(machine: u64, info: &[u8], task: &[u8]) -> Vec<u8> {
    let field = if machine == 3 { 8 } else { 2 };
    let task = [message(&[(1, 1), (4, 2)]), nested(6, b"app"), task.to_vec()].concat();
    let entry = [
        message(&[(1, machine)]),
        nested(field, info),
        nested(3, &task),
    ];
    image(&[entry.concat()])
}

pub(crate) fn x86(change: impl FnOnce(&mut Registers)) -> Vec<u8> {
    let mut registers = Registers::new();
    change(&mut registers);
    core(1, &registers.x86(), b"")
}

/// A message's numbers by path, read by hand: `None` if it is not one.
fn decode(bytes: &[u8], path: &[u64], into: &mut BTreeMap<Vec<u64>, Vec<u64>>) -> Option<()> {
    let number = |at: &mut usize| {
        let (mut value, mut shift) = (0u128, 0);
        loop {
            let byte = *bytes.get(*at)?;
            *at += 1;
            value |= u128::from(byte & 127) << shift;
            shift += 7;
            if byte < 128 {
                return u64::try_from(value & u128::from(u64::MAX)).ok();
            }
        }
    };
    let mut at = 0;
    while at < bytes.len() {
        let tag = number(&mut at)?;
        let here = [path, &[tag >> 3]].concat();
        match tag & 7 {
            0 => into.entry(here).or_default().push(number(&mut at)?),
            2 => {
                let end = usize::try_from(number(&mut at)?).ok()? + at;
                let inside = bytes.get(at..end)?;
                at = end;
                let mut read = BTreeMap::new();
                if here.last() == Some(&1) && here.len() > 3 {
                    into.entry(here).or_default().extend(words(inside, 8));
                } else if here != [3, 6] && decode(inside, &here, &mut read).is_some() {
                    for (path, values) in read {
                        into.entry(path).or_default().extend(values);
                    }
                }
            }
            _ => return None,
        }
    }
    Some(())
}

pub(crate) fn numbers(image: &[u8]) -> BTreeMap<Vec<u64>, Vec<u64>> {
    let mut all = BTreeMap::new();
    decode(&image[12..], &[], &mut all).unwrap();
    all
}

/// Everything that can be read in an image's numbers.
pub(crate) fn readable(image: &[u8]) -> Vec<u8> {
    let all = numbers(image);
    let bytes = |values: &[u64], width: usize| -> Vec<u8> {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes()[..width].to_vec());
        bytes.collect()
    };
    let mut text = Vec::new();
    for values in all.values() {
        for width in [4, 8] {
            text.extend(bytes(values, width));
            text.extend([0; 16]);
            let swapped: Vec<u64> = values.iter().map(|it| it.swap_bytes()).collect();
            text.extend(bytes(&swapped, width));
            text.extend([0; 16]);
        }
    }
    let general = (1..=15).filter_map(|field| all.get(&vec![2, 2, field]));
    text.extend(bytes(&general.flatten().copied().collect::<Vec<_>>(), 8));
    text.extend([0; 16]);
    let part = |path: &[u64], width| all.get(path).map(|values| bytes(values, width));
    let low = part(&[2, 3, 10], 4).unwrap_or_default();
    let middle = part(&[2, 3, 13, 2], 4).unwrap_or_default();
    let high = part(&[2, 3, 13, 6], 8).unwrap_or_default();
    for at in 0..low.len() / 16 {
        text.extend(&low[at * 16..][..16]);
        text.extend(&middle[at * 16..][..16]);
        text.extend(&high[at * 32..][..32]);
    }
    text.extend([0; 16]);
    for at in 0..low.len() / 16 {
        text.extend(&low[at * 16..][..16]);
        text.extend(&middle[at * 16..][..16]);
    }
    text
}

/// The length of the longest piece of `secret` in `text`.
pub(crate) fn longest(text: &[u8], secret: &[u8]) -> usize {
    let pieces = (1..=secret.len()).take_while(|length| {
        secret
            .windows(*length)
            .any(|piece| text.windows(*length).any(|it| it == piece))
    });
    pieces.last().unwrap_or(0)
}
