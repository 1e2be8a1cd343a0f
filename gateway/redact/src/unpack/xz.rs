//! The .xz file format.

use std::io::{self, ErrorKind, Read};

use lzma_rust2::XzReader as Reader;

use super::source::Source;

/// Unpacks all streams.
pub(super) struct XzReader<'a> {
    inner: Reader<Source<'a>>,
    progress: std::rc::Rc<super::source::Progress>,
}

impl<'a> XzReader<'a> {
    pub(super) fn new(source: Source<'a>, window: u64) -> Self {
        // The reader counts what it needs beside the window, in KiB.
        let limit = u32::try_from((window >> 10) + 1024).unwrap_or(u32::MAX);
        Self {
            progress: source.progress(),
            inner: Reader::new_mem_limit(source, true, limit),
        }
    }
}

impl Read for XzReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let kind = match error.kind() {
                kind @ (ErrorKind::OutOfMemory | ErrorKind::Unsupported) => kind,
                _ if self.progress.missed() => ErrorKind::UnexpectedEof,
                _ => ErrorKind::InvalidData,
            };
            kind.into()
        })
    }
}
