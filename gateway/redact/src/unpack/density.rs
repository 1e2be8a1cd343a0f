//! Bounds the parts of compressed contents, which cost time however few bytes they make.

use std::cell::Cell;
use std::io::{self, ErrorKind};

/// Parts that are always allowed.
const FREE: u64 = 4096;
/// Bytes, packed and unpacked together, that allow one further part.
const BYTES_PER_PART: u64 = 256;

/// The parts that are left for all contents that are unpacked together: many small ones may not have more than a large one.
#[derive(Debug)]
pub(crate) struct Parts {
    left: Cell<u64>,
    /// Bytes that were seen and did not allow a part yet.
    bytes: Cell<u64>,
}

/// Counts members, frames, streams and blocks of one stream.
#[derive(Debug)]
pub(super) struct Density<'a> {
    parts: &'a Parts,
    is_empty: bool,
    /// Packed bytes that were counted.
    taken: u64,
}

impl Parts {
    pub(crate) fn new() -> Self {
        Self {
            left: Cell::new(FREE),
            bytes: Cell::new(0),
        }
    }

    /// Counts bytes that are looked at.
    pub(crate) fn add_bytes(&self, bytes: u64) {
        let bytes = self.bytes.get().saturating_add(bytes);
        let allowed = self.left.get().saturating_add(bytes / BYTES_PER_PART);
        self.left.set(allowed);
        self.bytes.set(bytes % BYTES_PER_PART);
    }

    /// Counts a part; `false` if there are too many.
    pub(crate) fn take(&self) -> bool {
        let rest = self.left.get().checked_sub(1);
        self.left.set(rest.unwrap_or_default());
        rest.is_some()
    }

    /// The number of further parts that are allowed.
    pub(crate) fn left(&self) -> u64 {
        self.left.get()
    }

    /// Parts that are read a second time do not count again.
    pub(crate) fn restore(&self, left: u64) {
        self.left.set(left);
    }
}

impl<'a> Density<'a> {
    pub(super) fn new(parts: &'a Parts) -> Self {
        Self {
            parts,
            is_empty: true,
            taken: 0,
        }
    }

    /// Counts bytes that were unpacked.
    pub(super) fn add(&mut self, made: usize) {
        self.parts.add_bytes(made as u64);
    }

    /// Counts a part that begins behind `taken` packed bytes.
    pub(super) fn part(&mut self, taken: u64) -> io::Result<()> {
        self.is_empty = false;
        self.parts.add_bytes(taken.saturating_sub(self.taken));
        self.taken = self.taken.max(taken);
        if self.parts.take() {
            Ok(())
        } else {
            Err(ErrorKind::OutOfMemory.into())
        }
    }

    /// Whether no part was counted yet.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_streams_have_no_more_parts_than_a_large_one() {
        let parts = Parts::new();
        let mut taken = 0;
        for _ in 0..100 {
            let mut density = Density::new(&parts);
            taken += (0..4096).filter(|_| density.part(0).is_ok()).count();
        }
        assert_eq!(taken, 4096);
        parts.add_bytes(2560);
        let mut density = Density::new(&parts);
        assert_eq!((0..100).filter(|_| density.part(0).is_ok()).count(), 10);
    }
}
