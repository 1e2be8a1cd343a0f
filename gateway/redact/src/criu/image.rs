//! CRIU's images: eight bytes that name the kind, then messages, each with its length before it.

use std::ops::Range;

/// CRIU's common and service magics, which stand before a magic of the kind since version 1.1 of the format.
const MAGICS: [u32; 2] = [0x5456_4319, 0x5510_5940];

/// Whether the first bytes say that this is an image. CRIU reads no other since version 2.
pub(crate) fn is_image(bytes: &[u8]) -> bool {
    let magic = bytes.first_chunk().map(|magic| u32::from_le_bytes(*magic));
    magic.is_some_and(|magic| MAGICS.contains(&magic))
}

/// The positions of an image's entries. `None` where the bytes are not an image to their end.
pub(crate) fn entries(image: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut at = if is_image(image) { MAGIC } else { LENGTH };
    let mut entries = Vec::new();
    while at < image.len() {
        let length = image.get(at..)?.first_chunk()?;
        let start = at.checked_add(LENGTH)?;
        at = start.checked_add(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        entries.push(start..at);
    }
    (at == image.len()).then_some(entries)
}

/// Finds the entries in an image that comes in pieces.
#[derive(Debug)]
pub(crate) struct Entries {
    held: Vec<u8>,
    wanted: usize,
    state: State,
    largest: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Magic,
    Length,
    Entry,
    /// The bytes are not an image.
    Lost,
}

/// The bytes before the first entry.
const MAGIC: usize = 8;
const LENGTH: usize = 4;

impl Entries {
    /// Entries of up to `largest` bytes.
    pub(crate) fn new(largest: usize) -> Self {
        Self {
            held: Vec::new(),
            wanted: MAGIC,
            state: State::Magic,
            largest,
        }
    }

    /// Hands each complete entry to `take`, which returns whether it could read it.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut take: impl FnMut(&[u8]) -> bool) {
        while self.state != State::Lost {
            let missing = self.wanted.saturating_sub(self.held.len());
            let Some(piece) = bytes.split_off(..missing) else {
                self.held.extend_from_slice(bytes);
                return;
            };
            self.held.extend_from_slice(piece);
            self.step(&mut take);
            self.held.clear();
            if bytes.is_empty() && self.wanted > 0 {
                return;
            }
        }
    }

    /// Whether everything so far was an image, up to the end of an entry.
    pub(crate) fn is_whole(&self) -> bool {
        self.state == State::Length && self.held.is_empty()
    }

    fn step(&mut self, take: &mut impl FnMut(&[u8]) -> bool) {
        (self.state, self.wanted) = match self.state {
            State::Magic => (State::Length, LENGTH),
            State::Length => self.entry(),
            State::Entry if take(&self.held) => (State::Length, LENGTH),
            State::Entry | State::Lost => (State::Lost, 0),
        };
    }

    fn entry(&self) -> (State, usize) {
        let length = self
            .held
            .first_chunk()
            .map(|bytes| u32::from_le_bytes(*bytes));
        let length = length.and_then(|length| usize::try_from(length).ok());
        length
            .filter(|length| *length <= self.largest)
            .map_or((State::Lost, 0), |length| (State::Entry, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn image(entries: &[Vec<u8>]) -> Vec<u8> {
        let mut image = vec![7; MAGIC];
        for entry in entries {
            image.extend(u32::try_from(entry.len()).unwrap().to_le_bytes());
            image.extend(entry);
        }
        image
    }

    proptest! {
        #[test]
        fn entries_do_not_depend_on_the_pieces(
            entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..10),
            size in 1usize..30,
        ) {
            let (mut found, mut read) = (Entries::new(20), Vec::new());
            for piece in image(&entries).chunks(size) {
                found.push(piece, |entry| { read.push(entry.to_vec()); true });
            }
            prop_assert!(found.is_whole());
            prop_assert_eq!(read, entries);
        }
    }

    #[test]
    fn notices_wrong_lengths() {
        for (bytes, whole) in [
            (&[0u8; 8][..], true),
            (&[0; 7], false),
            (&[0; 9], false),
            (&[0xff; 12], false),
        ] {
            let mut entries = Entries::new(20);
            entries.push(bytes, |_| true);
            assert_eq!(entries.is_whole(), whole, "{bytes:?}");
        }
    }
}
