//! Masks a stream that comes in pieces.

use std::ops::Range;

use gateway_core::Place;

use super::matcher::{BACK, Matcher};
use super::scanner::{AHEAD, SEGMENT, Scanner, Segment};
use super::tally::Tally;

/// The most bytes that a stream holds back.
const CAPACITY: usize = 1 << 19;
/// Bytes before the next segment that are not final: a match that is found there may begin so far before it, since the filter's
/// grams lie up to 64 bytes inside their anchors.
const HELD: usize = BACK + 64;
/// Bytes before a segment that are kept, for look-arounds before a match.
const BEHIND: usize = HELD + 64;
/// The buffer drops multiples of this.
const PAGE: usize = 4096;
/// Shorter pieces are copied. Long enough that everything before a segment that lies in a piece is final and written before
/// that segment is searched.
const LONG: usize = 3 * SEGMENT;
const _: () = assert!(LONG > BEHIND + SEGMENT + AHEAD && BEHIND > HELD);
/// Mask bytes that are written at once.
pub(super) const RUN: usize = 4096;

/// Masks one stream, or several one after the other.
#[derive(Debug)]
pub struct Masker<'r> {
    /// `None` if no rule searches the place.
    scanner: Option<Scanner<'r>>,
    run: &'r [u8],
    buffer: Vec<u8>,
    /// Positions in the stream: the buffer's beginning, the end of what was searched, and the end of what was written.
    base: usize,
    scanned: usize,
    written: usize,
    tally: Tally,
}

impl<'r> Masker<'r> {
    pub(super) fn new(matcher: Option<&'r Matcher>, place: Place, run: &'r [u8]) -> Self {
        let scanner = matcher.map(|matcher| Scanner::new(matcher, place));
        Self {
            scanner,
            run,
            buffer: Vec::new(),
            base: 0,
            scanned: 0,
            written: 0,
            tally: Tally::default(),
        }
    }

    /// Takes the next bytes and hands to `out` everything that is final, in order. Holds back less than 512 KiB.
    ///
    /// # Errors
    /// The errors of `out`. The stream must then be abandoned.
    pub fn push<E>(
        &mut self,
        bytes: &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.scanner.is_none() {
            return out(bytes);
        }
        if bytes.len() < LONG {
            self.store(bytes, out)
        } else {
            self.long(bytes, out)
        }
    }

    fn store<E>(
        &mut self,
        mut bytes: &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CAPACITY - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CAPACITY {
                self.advance(false, out)?;
            }
        }
        Ok(())
    }

    /// Searches a long piece in place: only bytes near its ends are copied.
    fn long<E>(
        &mut self,
        piece: &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let base = self.base + self.buffer.len();
        if base > 0 {
            let over = (base + BEHIND).next_multiple_of(SEGMENT) + AHEAD - base;
            self.store(piece.get(..over).unwrap_or(piece), out)?;
            self.advance(false, out)?;
        }
        self.search(piece, base, false, out)?;
        self.base = (self.scanned.saturating_sub(BEHIND) / PAGE * PAGE).max(base);
        self.buffer.clear();
        self.store(piece.get(self.base - base..).unwrap_or_default(), out)
    }

    /// Ends the stream and hands out the rest. Further bytes begin a new stream, which adds to the same tally.
    ///
    /// # Errors
    /// The errors of `out`.
    pub fn finish<E>(&mut self, out: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        self.advance(true, out)?;
        if let Some(scanner) = self.scanner.take() {
            self.tally.merge(&scanner.tally);
            self.scanner = Some(scanner.restarted());
        }
        self.buffer.clear();
        (self.base, self.scanned, self.written) = (0, 0, 0);
        Ok(())
    }

    /// Counts of all finished streams.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn advance<E>(
        &mut self,
        last: bool,
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.search(&buffer, self.base, last, out)?;
        let kept = (self.scanned.saturating_sub(BEHIND) / PAGE * PAGE).max(self.base);
        buffer.drain(..(kept - self.base).min(buffer.len()));
        (self.buffer, self.base) = (buffer, kept);
        Ok(())
    }

    /// Searches further through `bytes`, which begin at `base`: every segment behind which enough bytes are there.
    fn search<E>(
        &mut self,
        bytes: &[u8],
        base: usize,
        last: bool,
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(scanner) = &mut self.scanner else {
            return Ok(());
        };
        let end = base + bytes.len();
        while self.scanned < end {
            let to = self.scanned + SEGMENT;
            if !last && to + AHEAD > end {
                break;
            }
            let to = to.min(end);
            scanner.segment(Segment {
                bytes,
                base,
                from: self.scanned,
                to,
                last: last && to == end,
            });
            self.scanned = to;
        }
        let until = if last {
            end
        } else {
            self.scanned.saturating_sub(HELD).max(self.written)
        };
        self.write(bytes, base, until, out)
    }

    /// Hands out everything before `until`.
    fn write<E>(
        &mut self,
        bytes: &[u8],
        base: usize,
        until: usize,
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(scanner) = &mut self.scanner else {
            return Ok(());
        };
        scanner.spans.sort_unstable_by_key(|span| span.start);
        let mut at = self.written;
        for span in &scanner.spans {
            let (start, end) = (span.start.clamp(at, until), span.end.clamp(at, until));
            if start > at {
                out(slice(bytes, base, at..start))?;
            }
            for piece in (start.max(at)..end).step_by(RUN) {
                out(self.run.get(..RUN.min(end - piece)).unwrap_or_default())?;
            }
            at = at.max(end);
        }
        if until > at {
            out(slice(bytes, base, at..until))?;
        }
        scanner.spans.retain(|span| span.end > until);
        self.written = until;
        Ok(())
    }
}

fn slice(buffer: &[u8], base: usize, range: Range<usize>) -> &[u8] {
    buffer
        .get(range.start - base..range.end - base)
        .unwrap_or_default()
}

/// Masks a whole stream in place.
pub(super) fn whole(
    matcher: &Matcher,
    place: Place,
    mask: u8,
    bytes: &mut [u8],
    tally: &mut Tally,
) {
    let (spans, found) = spans(matcher, place, bytes);
    for span in spans {
        if let Some(hidden) = bytes.get_mut(span) {
            hidden.fill(mask);
        }
    }
    tally.merge(&found);
}

/// The extents of all matches in a whole stream, and their counts.
pub(super) fn spans(matcher: &Matcher, place: Place, bytes: &[u8]) -> (Vec<Range<usize>>, Tally) {
    let mut scanner = Scanner::new(matcher, place);
    for from in (0..bytes.len()).step_by(SEGMENT) {
        let to = bytes.len().min(from + SEGMENT);
        scanner.segment(Segment {
            bytes,
            base: 0,
            from,
            to,
            last: to == bytes.len(),
        });
    }
    (std::mem::take(&mut scanner.spans), scanner.tally)
}
