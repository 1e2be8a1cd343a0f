//! Masks what stands in an image's numbers.

use std::ops::Range;

use gateway_core::Place;

use crate::criu::{Number, Numbers, Role, Source, View, entries, is_image, views};
use crate::search::{Count, PIECE, Rules, Tally};

/// Masks the numbers of one image.
pub(super) struct NumberMasker<'r> {
    pub(super) rules: &'r Rules,
    pub(super) source: Source,
}

/// Why an image cannot be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It must be searched as numbers and is not an image.
    Unreadable,
    /// A piece of a secret stands in a number that must stay.
    Kept,
    /// Masking changed more than contents.
    Broken,
}

impl NumberMasker<'_> {
    /// Masks the numbers of `image`, which was `original` before its bytes were masked.
    pub(super) fn mask(
        &self,
        original: &[u8],
        image: &mut [u8],
        found: &mut Tally,
    ) -> Result<(), Refused> {
        let Some(all) = entries(original) else {
            return self.unreadable(original);
        };
        if entries(image).as_ref() != Some(&all) {
            return Err(Refused::Broken);
        }
        for entry in all {
            let Some(before) = Numbers::read(self.source, original, &entry) else {
                self.unreadable(original)?;
                continue;
            };
            let mut numbers = self.read(image, &entry, &before)?;
            self.entry(&mut numbers, found)?;
            for number in numbers.all.iter().filter(|number| number.is_masked()) {
                number.write(image).ok_or(Refused::Broken)?;
            }
            self.read(image, &entry, &before)?;
        }
        Ok(())
    }

    /// First bytes decide: what does not begin as an image restores nothing, and its bytes are all that it has.
    fn unreadable(&self, original: &[u8]) -> Result<(), Refused> {
        if self.source.must_be_readable() && is_image(original) {
            return Err(Refused::Unreadable);
        }
        Ok(())
    }

    /// Reads an entry again, which must read as `before`.
    fn read(
        &self,
        image: &[u8],
        entry: &Range<usize>,
        before: &Numbers,
    ) -> Result<Numbers, Refused> {
        let numbers = Numbers::read(self.source, image, entry).ok_or(Refused::Broken)?;
        if numbers.has_shape_of(before) {
            Ok(numbers)
        } else {
            Err(Refused::Broken)
        }
    }

    fn entry(&self, numbers: &mut Numbers, found: &mut Tally) -> Result<(), Refused> {
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
