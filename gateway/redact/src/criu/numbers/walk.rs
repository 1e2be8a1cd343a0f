//! Finds every number and every text of messages, without a schema where the kind of image is unknown.

use std::collections::BTreeMap;
use std::ops::Range;

use super::number::Number;
use super::role::{Role, role};
use crate::criu::kind::{ImageKind, Text};
use crate::criu::protobuf::{fields, varint};

/// The most numbers that are looked at together: a thread has some 500, and a file with the most watches some thousands.
const MAX_NUMBERS: usize = 1 << 18;
/// The deepest message.
const MAX_DEPTH: usize = 12;
/// The signal's number, its error, its code and padding, which the kernel reads before a `siginfo_t`'s contents.
const SIGNAL_HEAD: usize = 16;

/// The numbers and texts of some messages.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) all: Vec<Number>,
    /// Texts, in the order of their positions.
    pub(crate) texts: Vec<TextField>,
    /// What was taken for messages without knowing that it is one.
    pub(crate) guessed: Vec<Range<usize>>,
    /// The numbers of one path of fields, in order.
    pub(super) lists: BTreeMap<Vec<u64>, Vec<usize>>,
    /// The numbers of one message, in order.
    pub(super) rows: Vec<Vec<usize>>,
    /// Positions of tags, with the tags, and of texts and messages, with their sizes: masking must not change any.
    shape: Vec<(usize, u64)>,
}

/// A text where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextField {
    pub(crate) range: Range<usize>,
    pub(crate) text: Text,
    path: Vec<u64>,
}

/// Reads messages.
struct Walk<'a> {
    kind: &'a ImageKind,
    /// The texts of a reading before, which are texts now, too, whatever they look like.
    known: Option<&'a [TextField]>,
    path: Vec<u64>,
    numbers: Numbers,
}

impl Numbers {
    /// Reads the messages at these ranges of `image`. `None` if they have too many numbers.
    pub(crate) fn read(kind: &ImageKind, image: &[u8], ranges: &[Range<usize>]) -> Option<Self> {
        Walk::new(kind, None).read(image, ranges)
    }

    /// Reads them again, with the same texts.
    pub(crate) fn read_again(
        kind: &ImageKind,
        image: &[u8],
        ranges: &[Range<usize>],
        texts: &[TextField],
    ) -> Option<Self> {
        Walk::new(kind, Some(texts)).read(image, ranges)
    }

    /// The numbers of lists that are packed into texts, as far as the texts can be such.
    pub(crate) fn packed(kind: &ImageKind, image: &[u8], texts: &[TextField]) -> Option<Self> {
        let mut walk = Walk::new(kind, None);
        for text in texts {
            let bytes = image.get(text.range.clone())?;
            // Numbers below 128 hold no six bytes of a text.
            if bytes.iter().all(u8::is_ascii) || !is_packed(bytes) {
                continue;
            }
            walk.path.clone_from(&text.path);
            let row = walk.numbers.rows.len();
            walk.numbers.rows.push(Vec::new());
            let mut rest = bytes;
            while !rest.is_empty() {
                let at = text.range.end - rest.len();
                let value = varint(&mut rest)?;
                let length = text.range.end - rest.len() - at;
                let role = role(kind, &text.path);
                walk.add(row, Number::new(at, length, value, role))?;
            }
        }
        Some(walk.numbers)
    }

    /// Whether both have the same tags, lengths, numbers and texts at the same places, and the same numbers where those may not
    /// be masked.
    pub(crate) fn reads_as(&self, before: &Self) -> bool {
        let place = |number: &Number| {
            let value = (number.role == Role::Kept).then_some(number.value);
            (number.at, number.length, number.is_varint, value)
        };
        self.shape == before.shape
            && self.lists.keys().eq(before.lists.keys())
            && self.all.iter().map(place).eq(before.all.iter().map(place))
    }
}

impl<'a> Walk<'a> {
    fn new(kind: &'a ImageKind, known: Option<&'a [TextField]>) -> Self {
        Self {
            kind,
            known,
            path: Vec::new(),
            numbers: Numbers::default(),
        }
    }

    fn read(mut self, image: &[u8], ranges: &[Range<usize>]) -> Option<Numbers> {
        for range in ranges {
            self.path.clear();
            self.message(image.get(range.clone())?, range.start)?;
        }
        Some(self.numbers)
    }

    fn message(&mut self, message: &[u8], base: usize) -> Option<()> {
        let row = self.numbers.rows.len();
        self.numbers.rows.push(Vec::new());
        let mut rest = message;
        while !rest.is_empty() {
            let at = base + message.len() - rest.len();
            let tag = varint(&mut rest)?;
            self.numbers.shape.push((at, tag));
            let at = base + message.len() - rest.len();
            self.path.push(tag >> 3);
            match tag & 7 {
                0 => {
                    let value = varint(&mut rest)?;
                    let length = base + message.len() - rest.len() - at;
                    self.add(
                        row,
                        Number::new(at, length, value, role(self.kind, &self.path)),
                    )?;
                }
                kind @ (1 | 5) => {
                    let bytes = rest.split_off(..if kind == 1 { 8 } else { 4 })?;
                    self.add(row, Number::fixed(at, bytes, role(self.kind, &self.path)))?;
                }
                2 => {
                    let length = usize::try_from(varint(&mut rest)?).ok()?;
                    let at = base + message.len() - rest.len();
                    self.bytes(rest.split_off(..length)?, at)?;
                }
                _ => return None,
            }
            self.path.pop();
        }
        Some(())
    }

    /// A message, a signal, or a text.
    fn bytes(&mut self, bytes: &[u8], at: usize) -> Option<()> {
        self.numbers.shape.push((at, bytes.len() as u64));
        let text = self.kind.text(&self.path);
        if text == Some(Text::Signal) {
            return self.signal(bytes, at);
        }
        let range = at..at + bytes.len();
        if self.is_message(bytes, at, text) {
            if !self.kind.is_known() {
                self.numbers.guessed.push(range);
            }
            return self.message(bytes, at);
        }
        self.numbers.texts.push(TextField {
            range,
            text: text.unwrap_or(Text::Free),
            path: self.path.clone(),
        });
        Some(())
    }

    fn is_message(&self, bytes: &[u8], at: usize, text: Option<Text>) -> bool {
        if let Some(known) = self.known {
            let found = known.binary_search_by_key(&at, |text| text.range.start);
            return found.is_err();
        }
        // Messages begin with small field numbers, which are no printable characters.
        let is_printable = bytes.iter().all(|byte| (b' '..0x7f).contains(byte));
        text.is_none()
            && !is_printable
            && self.path.len() < MAX_DEPTH
            && fields(bytes).all(|field| field.is_some())
    }

    fn signal(&mut self, bytes: &[u8], at: usize) -> Option<()> {
        let row = self.numbers.rows.len();
        self.numbers.rows.push(Vec::new());
        for (index, word) in bytes.chunks(8).enumerate() {
            let offset = index * 8;
            let role = if offset < SIGNAL_HEAD {
                Role::Kept
            } else {
                Role::Free
            };
            self.add(row, Number::fixed(at + offset, word, role))?;
        }
        Some(())
    }

    fn add(&mut self, row: usize, number: Number) -> Option<()> {
        let Numbers {
            all, lists, rows, ..
        } = &mut self.numbers;
        let index = all.len();
        if index >= MAX_NUMBERS {
            return None;
        }
        all.push(number);
        rows.get_mut(row)?.push(index);
        match lists.get_mut(&self.path) {
            Some(list) => list.push(index),
            None => drop(lists.insert(self.path.clone(), vec![index])),
        }
        Some(())
    }
}

/// Whether bytes are varints to their end.
fn is_packed(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        if varint(&mut bytes).is_none() {
            return false;
        }
    }
    true
}
