//! Finds every number of an image's entries, without a schema.

use std::collections::BTreeMap;
use std::ops::Range;

use super::number::Number;
use super::role::{Role, Source};
use crate::criu::protobuf::{fields, varint};

/// The most numbers of one entry: a thread has some 500, and a file with the most watches some thousands.
const MAX_NUMBERS: usize = 1 << 18;
/// The deepest message.
const MAX_DEPTH: usize = 12;
/// The signal's number, its error, its code and padding, which the kernel reads before a `siginfo_t`'s contents.
const SIGNAL_HEAD: usize = 16;

/// The numbers of one entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) all: Vec<Number>,
    /// The numbers of one path of fields, in order.
    pub(super) lists: BTreeMap<Vec<u64>, Vec<usize>>,
    /// The numbers of one message, in order.
    pub(super) rows: Vec<Vec<usize>>,
    /// Positions and sizes of everything else, which masking must not change either.
    shape: Vec<(usize, usize)>,
    source: Option<Source>,
}

impl Numbers {
    /// Reads the entry at `range` of `image`. `None` if it is not a message, or has too many numbers.
    pub(crate) fn read(source: Source, image: &[u8], range: &Range<usize>) -> Option<Self> {
        let entry = image.get(range.clone())?;
        let mut numbers = Self {
            source: Some(source),
            ..Self::default()
        };
        numbers.message(entry, range.start, &mut Vec::new())?;
        Some(numbers)
    }

    /// Whether both have the same numbers and contents at the same places.
    pub(crate) fn has_shape_of(&self, other: &Self) -> bool {
        let place = |number: &Number| (number.at, number.length, number.is_varint);
        self.shape == other.shape
            && self.lists.keys().eq(other.lists.keys())
            && self.all.iter().map(place).eq(other.all.iter().map(place))
    }

    fn message(&mut self, message: &[u8], base: usize, path: &mut Vec<u64>) -> Option<()> {
        let row = self.rows.len();
        self.rows.push(Vec::new());
        let mut rest = message;
        while !rest.is_empty() {
            let tag = varint(&mut rest)?;
            let at = base + message.len() - rest.len();
            path.push(tag >> 3);
            match tag & 7 {
                0 => {
                    let value = varint(&mut rest)?;
                    let length = base + message.len() - rest.len() - at;
                    let role = self.role(path);
                    self.add(row, path, Number::new(at, length, value, role))?;
                }
                kind @ (1 | 5) => {
                    let bytes = rest.split_off(..if kind == 1 { 8 } else { 4 })?;
                    let role = self.role(path);
                    self.add(row, path, Number::fixed(at, bytes, role))?;
                }
                2 => {
                    let length = usize::try_from(varint(&mut rest)?).ok()?;
                    let at = base + message.len() - rest.len();
                    let bytes = rest.split_off(..length)?;
                    self.bytes(bytes, at, path)?;
                }
                _ => return None,
            }
            path.pop();
        }
        Some(())
    }

    /// A message, a signal, or a text, which is searched as bytes.
    fn bytes(&mut self, bytes: &[u8], at: usize, path: &mut Vec<u64>) -> Option<()> {
        self.shape.push((at, bytes.len()));
        if self.source.is_some_and(|source| source.is_signal(path)) {
            return self.signal(bytes, at, path);
        }
        // Messages begin with small field numbers, which are no printable characters.
        let is_text = bytes.iter().all(|byte| (b' '..0x7f).contains(byte));
        let is_message = !is_text && path.len() < MAX_DEPTH && fields(bytes).all(|it| it.is_some());
        if is_message {
            self.message(bytes, at, path)?;
        }
        Some(())
    }

    fn signal(&mut self, bytes: &[u8], at: usize, path: &[u64]) -> Option<()> {
        let row = self.rows.len();
        self.rows.push(Vec::new());
        for (index, word) in bytes.chunks(8).enumerate() {
            let offset = index * 8;
            let role = if offset < SIGNAL_HEAD {
                Role::Kept
            } else {
                Role::Free
            };
            self.add(row, path, Number::fixed(at + offset, word, role))?;
        }
        Some(())
    }

    fn role(&self, path: &[u64]) -> Role {
        self.source.map_or(Role::Kept, |source| source.role(path))
    }

    fn add(&mut self, row: usize, path: &[u64], number: Number) -> Option<()> {
        let index = self.all.len();
        if index >= MAX_NUMBERS {
            return None;
        }
        self.all.push(number);
        self.rows.get_mut(row)?.push(index);
        match self.lists.get_mut(path) {
            Some(list) => list.push(index),
            None => drop(self.lists.insert(path.to_vec(), vec![index])),
        }
        Some(())
    }
}

/// CRIU's common and service magics, which stand before a magic of the kind since version 1.1 of the format.
const MAGICS: [u32; 2] = [0x5456_4319, 0x5510_5940];

/// Whether the first bytes say that this is an image. CRIU reads no other since version 2.
pub(crate) fn is_image(bytes: &[u8]) -> bool {
    let magic = bytes.first_chunk().map(|magic| u32::from_le_bytes(*magic));
    magic.is_some_and(|magic| MAGICS.contains(&magic))
}

/// The positions of an image's entries. `None` where the bytes are not an image to their end.
pub(crate) fn entries(image: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut at = if is_image(image) { 8 } else { 4 };
    let mut entries = Vec::new();
    while at < image.len() {
        let length = image.get(at..)?.first_chunk()?;
        let start = at.checked_add(4)?;
        at = start.checked_add(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        entries.push(start..at);
    }
    (at == image.len()).then_some(entries)
}
