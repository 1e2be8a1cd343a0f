//! A reader that can look ahead, and notes how far it came.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, ErrorKind, Read};
use std::rc::Rc;

/// The input of a decoder.
pub(crate) struct Source<'a> {
    input: &'a mut dyn BufRead,
    /// Bytes that were looked at and not taken.
    ahead: Vec<u8>,
    at: usize,
    progress: Rc<Progress>,
}

/// How far a [`Source`] came. Decoders keep their source, and their errors do not tell why.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    taken: Cell<u64>,
    missed: Cell<bool>,
    failure: RefCell<Option<io::Error>>,
}

impl Progress {
    /// Bytes that were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.get()
    }

    /// Whether more was wanted than there is.
    pub(crate) fn missed(&self) -> bool {
        self.missed.get()
    }

    /// The error of the input, if it has failed.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.failure.take()
    }
}

impl<'a> Source<'a> {
    pub(crate) fn new(input: &'a mut dyn BufRead) -> Self {
        Self {
            input,
            ahead: Vec::new(),
            at: 0,
            progress: Rc::default(),
        }
    }

    pub(crate) fn progress(&self) -> Rc<Progress> {
        Rc::clone(&self.progress)
    }

    /// The next `length` bytes, fewer at the end. They are not taken.
    pub(crate) fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        self.ahead.drain(..self.at);
        self.at = 0;
        while self.ahead.len() < length {
            let missing = length - self.ahead.len();
            let bytes = fill(self.input, &self.progress)?;
            let more = bytes.get(..missing).unwrap_or(bytes);
            if more.is_empty() {
                break;
            }
            self.ahead.extend_from_slice(more);
            let taken = more.len();
            self.input.consume(taken);
        }
        Ok(self.ahead.get(..length).unwrap_or(&self.ahead))
    }

    /// Takes `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Takes one byte; `None` at the end.
    pub(crate) fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.fill_buf()?.first().copied();
        self.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// Bytes that were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.progress.taken()
    }

    /// Takes zeros up to the end; whether nothing else is left.
    pub(crate) fn only_zeros_follow(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.fill_buf()?;
            if bytes.is_empty() {
                return Ok(true);
            }
            if bytes.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            let length = bytes.len();
            self.consume(length);
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let length = bytes.len().min(buffer.len());
        buffer
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        self.consume(length);
        if length == 0 && !buffer.is_empty() {
            self.progress.missed.set(true);
        }
        Ok(length)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.ahead.len() {
            return Ok(self.ahead.get(self.at..).unwrap_or_default());
        }
        fill(self.input, &self.progress)
    }

    fn consume(&mut self, length: usize) {
        if self.at < self.ahead.len() {
            self.at += length;
        } else {
            self.input.consume(length);
        }
        let taken = self.progress.taken.get();
        self.progress.taken.set(taken.saturating_add(length as u64));
    }
}

fn fill<'b>(input: &'b mut dyn BufRead, progress: &Progress) -> io::Result<&'b [u8]> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let kind = error.kind();
                progress.failure.replace(Some(error));
                return Err(kind.into());
            }
        }
    }
    // The same bytes once more: a borrow cannot leave the loop.
    input.fill_buf()
}
