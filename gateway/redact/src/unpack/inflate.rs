//! Raw deflate (RFC 1951).

use std::io::{self, BufRead, ErrorKind};

use flate2::{Decompress, FlushDecompress, Status};

/// One deflate stream after another, with the same tables.
pub(crate) struct Inflate {
    state: Decompress,
    is_done: bool,
}

impl Inflate {
    pub(crate) fn new() -> Self {
        Self {
            state: Decompress::new(false),
            is_done: false,
        }
    }

    /// Begins another stream.
    pub(crate) fn restart(&mut self) {
        self.state.reset(false);
        self.is_done = false;
    }

    /// Unpacks into `buffer`; 0 at the end of the stream. Takes nothing behind it from `source`.
    pub(crate) fn read(
        &mut self,
        source: &mut dyn BufRead,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        while !self.is_done && !buffer.is_empty() {
            let input = source.fill_buf()?;
            let is_last = input.is_empty();
            let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(input, buffer, FlushDecompress::None)
                .map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
            let taken = usize::try_from(self.state.total_in() - before_in).unwrap_or_default();
            let made = usize::try_from(self.state.total_out() - before_out).unwrap_or_default();
            source.consume(taken);
            self.is_done = status == Status::StreamEnd;
            if made > 0 {
                return Ok(made);
            }
            if is_last && !self.is_done {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}
