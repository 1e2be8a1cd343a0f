//! Masks texts and numbers of an image's messages, and nothing else of them.

use std::ops::Range;

use gateway_core::Place;

use super::maskers::mask;
use super::paths::{PathUse, Paths};
use crate::criu::{ImageKind, Number, Numbers, Role, Text, TextField, View, views};
use crate::search::{Count, PIECE, Rules, Tally};

/// Messages are masked together from about this many bytes on.
const FULL: usize = 1 << 16;
const MEMORY: &[Place] = &[Place::Memory];

/// Masks the messages of one image.
pub(super) struct MessageMasker<'r> {
    pub(super) rules: &'r Rules,
    pub(super) kind: &'static ImageKind,
    /// The member's name.
    pub(super) member: String,
}

/// Why an image cannot be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It has too many numbers.
    Unreadable,
    /// A piece of a secret stands in a number or a program that must stay.
    Kept,
    /// Masking would change more than texts and numbers.
    Broken,
}

/// Messages of an image that are masked together, as they stand there.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// Whole fields: a message, or a part of a long one.
    ranges: Vec<Range<usize>>,
}

impl Batch {
    /// Adds bytes that are no message.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a message.
    pub(super) fn add_message(&mut self, message: &[u8]) {
        self.ranges
            .push(self.bytes.len()..self.bytes.len() + message.len());
        self.bytes.extend_from_slice(message);
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ranges.clear();
    }

    /// Parts of about [`FULL`] bytes, so that memory is bounded for long messages, too.
    fn parts(&self) -> Vec<Vec<Range<usize>>> {
        let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
        for range in &self.ranges {
            let message = self.bytes.get(range.clone()).unwrap_or_default();
            for piece in pieces(message, FULL) {
                bytes += piece.len();
                part.push(range.start + piece.start..range.start + piece.end);
                if bytes >= FULL {
                    parts.push(std::mem::take(&mut part));
                    bytes = 0;
                }
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
        parts
    }
}

impl MessageMasker<'_> {
    /// Masks a batch in place.
    pub(super) fn mask(
        &self,
        batch: &mut Batch,
        paths: &mut Paths,
        found: &mut Tally,
    ) -> Result<(), Refused> {
        for part in batch.parts() {
            self.part(&mut batch.bytes, &part, paths, found)?;
        }
        Ok(())
    }

    fn part(
        &self,
        image: &mut [u8],
        ranges: &[Range<usize>],
        paths: &mut Paths,
        found: &mut Tally,
    ) -> Result<(), Refused> {
        let mut numbers = Numbers::read(self.kind, image, ranges).ok_or(Refused::Unreadable)?;
        let texts = std::mem::take(&mut numbers.texts);
        let original = span(image, ranges).to_vec();
        for text in &texts {
            self.text(image, text, paths, found)?;
        }
        self.numbers(image, &mut numbers, found)?;
        let mut packed = Numbers::packed(self.kind, image, &texts).ok_or(Refused::Unreadable)?;
        self.numbers(image, &mut packed, found)?;
        let guessed = std::mem::take(&mut numbers.guessed);
        drop((numbers, packed));
        self.check_guessed(image, guessed)?;
        self.check(image, ranges, &texts, &original)
    }

    fn text(
        &self,
        image: &mut [u8],
        field: &TextField,
        paths: &mut Paths,
        found: &mut Tally,
    ) -> Result<(), Refused> {
        let Some(text) = image.get_mut(field.range.clone()) else {
            return Err(Refused::Broken);
        };
        match field.text {
            Text::Free | Text::Signal => mask(self.rules, MEMORY, text, found),
            Text::Path => {
                let place = (self.member.as_str(), PathUse::Needed);
                paths.mask(self.rules, place, text, found);
            }
            Text::Kept => {
                let mut masked = text.to_vec();
                mask(self.rules, MEMORY, &mut masked, &mut Tally::default());
                if masked != text {
                    return Err(Refused::Kept);
                }
            }
        }
        Ok(())
    }

    fn numbers(
        &self,
        image: &mut [u8],
        numbers: &mut Numbers,
        found: &mut Tally,
    ) -> Result<(), Refused> {
        self.search(numbers, found)?;
        for number in numbers.all.iter().filter(|number| number.is_masked()) {
            number.write(image).ok_or(Refused::Broken)?;
        }
        Ok(())
    }

    /// What was only guessed to be a message must have nothing in it that reaches over its fields.
    fn check_guessed(&self, image: &[u8], guessed: Vec<Range<usize>>) -> Result<(), Refused> {
        for range in guessed {
            let bytes = image.get(range).unwrap_or_default();
            let mut masked = bytes.to_vec();
            mask(self.rules, MEMORY, &mut masked, &mut Tally::default());
            let changed = masked.iter().zip(bytes).filter(|(new, old)| new != old);
            if changed.count() >= PIECE {
                return Err(Refused::Broken);
            }
        }
        Ok(())
    }

    /// Whether the messages read as before, field by field.
    fn check(
        &self,
        image: &[u8],
        ranges: &[Range<usize>],
        texts: &[TextField],
        original: &[u8],
    ) -> Result<(), Refused> {
        let start = ranges.first().map_or(0, |range| range.start);
        if span(image, ranges) == original {
            return Ok(());
        }
        // At the positions that the texts have.
        let mut before = vec![0; start];
        before.extend_from_slice(original);
        let before = Numbers::read_again(self.kind, &before, ranges, texts);
        let after = Numbers::read_again(self.kind, image, ranges, texts);
        match before.zip(after) {
            Some((before, after)) if after.reads_as(&before) => Ok(()),
            _ => Err(Refused::Broken),
        }
    }

    fn search(&self, numbers: &mut Numbers, found: &mut Tally) -> Result<(), Refused> {
        views(numbers, |view, numbers| {
            let hits = self.rules.find_in_numbers(&view.bytes(numbers));
            let mut is_masked = false;
            for (rule, span) in hits.spans {
                let bytes = self.span(view, span, numbers)?;
                match rule {
                    Some(rule) if bytes > 0 => {
                        found.add(rule, Place::Memory, Count { masks: 1, bytes });
                    }
                    Some(_) => {}
                    None => is_masked |= bytes > 0,
                }
            }
            if is_masked {
                found.merge(&hits.tally);
            }
            Ok(())
        })
    }

    /// Masks what may be masked of `span`. Returns the number of bytes that were not masked before.
    fn span(
        &self,
        view: &View,
        span: Range<usize>,
        numbers: &mut [Number],
    ) -> Result<u64, Refused> {
        let is_piece = span.len() >= PIECE;
        let (mut masked, mut kept) = (0, 0);
        for (index, byte) in view.sources(span) {
            let Some(number) = numbers.get_mut(index) else {
                continue;
            };
            match number.role {
                Role::Kept => kept += 1,
                Role::Wide if !is_piece => {}
                Role::Wide | Role::Free => {
                    masked += u64::from(number.byte(byte) != self.rules.mask_byte());
                    number.mask(byte, self.rules.mask_byte());
                }
            }
        }
        if kept >= PIECE {
            return Err(Refused::Kept);
        }
        Ok(masked)
    }
}

/// Everything from the first of these ranges to the last.
fn span<'i>(image: &'i [u8], ranges: &[Range<usize>]) -> &'i [u8] {
    let bounds = ranges.first().zip(ranges.last());
    let part = bounds.and_then(|(first, last)| image.get(first.start..last.end));
    part.unwrap_or_default()
}

/// A long message in pieces of whole fields, of about `size` bytes.
fn pieces(message: &[u8], size: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut rest) = (0, crate::criu::fields(message));
    if message.len() > size {
        while rest.next().flatten().is_some() {
            let at = message.len() - rest.left();
            if at - start >= size {
                pieces.push(start..at);
                start = at;
            }
        }
    }
    pieces.push(start..message.len());
    pieces
}
