//! Reads an archive for the redactor: checks its bounds and copies it to the original on the way.

use std::io::{self, Read};
use std::path::Path;

use crate::Error;
use crate::bounds::Bounds;
use crate::drain::{Drained, check_chunk, discard, end_error, fill};
use crate::original_writer::OriginalWriter;
use crate::step::Stopwatch;

/// A source within its bounds. Remembers why it ended.
pub(crate) struct IntakeReader<'a, R> {
    source: &'a mut R,
    bounds: Bounds,
    original: Option<&'a OriginalWriter>,
    receive: Stopwatch,
    bytes: u64,
    fault: Option<Error>,
    end: Option<io::Result<()>>,
}

impl<'a, R: Read> IntakeReader<'a, R> {
    pub(crate) fn new(
        source: &'a mut R,
        bounds: Bounds,
        original: Option<&'a OriginalWriter>,
        receive: Stopwatch,
    ) -> Self {
        Self {
            source,
            bounds,
            original,
            receive,
            bytes: 0,
            fault: None,
            end: None,
        }
    }

    /// Reads to the end, after a failed pass, too: the runtime would block for ever otherwise. `path` is the
    /// source's.
    pub(crate) fn finish(mut self, outcome: Result<String, Error>, path: &Path) -> Drained {
        let early = self.end.is_some();
        if outcome.is_ok() && self.original.is_some() {
            // Bytes after the archive's end are not published, so they are not redacted; but they belong to the original.
            let _ = io::copy(&mut self, &mut io::sink());
        }
        let end = self
            .end
            .take()
            .unwrap_or_else(|| discard(self.source, &mut self.bytes));
        let (stalled, late) = end_error(end, self.bounds, path);
        let empty = (self.bytes == 0).then_some(Error::Empty);
        // An error that ended the source also ended the pass, so it is the better reason; one after the pass is not.
        let (before, after) = if early { (late, None) } else { (None, late) };
        let fault = self.fault.or(before).or(empty);
        let outcome = fault
            .map_or(outcome, Err)
            .and_then(|sha256| after.map_or(Ok(sha256), Err));
        Drained {
            bytes: self.bytes,
            outcome,
            stalled,
        }
    }
}

impl<R: Read> Read for IntakeReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.end {
            None => {}
            Some(Ok(())) => return Ok(0),
            Some(Err(error)) => return Err(error.kind().into()),
        }
        let (length, end) = self.receive.time(|| fill(self.source, buffer));
        self.receive.count(length as u64);
        let chunk = buffer.get(..length).unwrap_or_default();
        self.fault = check_chunk(chunk, self.bytes, self.bounds).err();
        self.bytes = self.bytes.saturating_add(length as u64);
        self.end = end;
        if self.fault.is_some() {
            return Err(io::ErrorKind::Other.into());
        }
        if let Some(original) = self.original {
            original.put(chunk);
        }
        Ok(length)
    }
}
