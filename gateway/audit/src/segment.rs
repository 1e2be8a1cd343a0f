//! The closed files of a log. A segment's name holds the number of its first line.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use gateway_files::{parent, with_suffix};

use crate::chain::{Link, MAX_LINE};

/// The size of a read buffer in bytes.
const BUFFER: usize = 1 << 16;
/// The least number of digits in a segment's name, so that names sort.
const DIGITS: usize = 12;
/// The suffix of a compressed segment.
const GZIP: &str = ".gz";

/// A closed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The number of its first line.
    pub(crate) first_seq: u64,
    /// Its path while it is not compressed.
    pub(crate) plain: PathBuf,
}

impl Segment {
    /// The segment of the log at `log` that begins with the line `first_seq`.
    pub(crate) fn new(log: &Path, first_seq: u64) -> Self {
        Self {
            first_seq,
            plain: with_suffix(log, format!(".{first_seq:0DIGITS$}")),
        }
    }

    /// Its path once it is compressed.
    pub(crate) fn compressed(&self) -> PathBuf {
        with_suffix(&self.plain, GZIP)
    }

    /// Its uncompressed length in bytes, modulo 2^32 if it is compressed (RFC 1952, section 2.3.1).
    pub(crate) fn length(&self) -> io::Result<u64> {
        match std::fs::metadata(&self.plain) {
            Ok(meta) => return Ok(meta.len()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
        let (file, mut size) = (File::open(self.compressed())?, [0; 4]);
        file.read_exact_at(&mut size, file.metadata()?.len().saturating_sub(4))?;
        Ok(u32::from_le_bytes(size).into())
    }

    /// Opens it under whichever name it has: a gateway may compress it at the same time.
    pub(crate) fn open(&self) -> io::Result<(PathBuf, Box<dyn BufRead + Send>)> {
        let compressed = self.compressed();
        for path in [&self.plain, &compressed, &self.plain] {
            match open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => return Ok((path.clone(), decompressed(opened?)?)),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

/// The closed segments of the log at `log`, in order. A segment that is there both plain and compressed is listed once.
pub(crate) fn closed(log: &Path) -> io::Result<Vec<Segment>> {
    let mut prefix = log.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    let mut numbers = Vec::new();
    for entry in parent(log).read_dir()? {
        numbers.extend(parse_name(&entry?.file_name(), &prefix));
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers
        .into_iter()
        .map(|first_seq| Segment::new(log, first_seq))
        .collect())
}

/// The number of the first line of the segment called `name`; `None` if that is not the name of a segment.
fn parse_name(name: &OsString, prefix: &OsString) -> Option<u64> {
    let rest = name.to_str()?.strip_prefix(prefix.to_str()?)?;
    let digits = rest.strip_suffix(GZIP).unwrap_or(rest);
    let first_seq = digits.parse().ok()?;
    // Other spellings of the same number are not names of a segment.
    (format!("{first_seq:0DIGITS$}") == digits).then_some(first_seq)
}

/// Opens a file of a log for reading. A FIFO is refused, since opening one waits for a writer.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    gateway_files::open(path).map_err(|error| match error {
        // The callers' errors name the file.
        gateway_files::Error::Io { source, .. } => source,
        refused => refused.into(),
    })
}

/// The text of a file that may be compressed.
pub(crate) fn decompressed(file: File) -> io::Result<Box<dyn BufRead + Send>> {
    let mut bytes = BufReader::with_capacity(BUFFER, file);
    // No line of a log begins with the magic number of gzip.
    if bytes.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        let text = MultiGzDecoder::new(bytes);
        return Ok(Box::new(BufReader::with_capacity(BUFFER, text)));
    }
    Ok(Box::new(bytes))
}

/// The number of the first line of an open file, which is then rewound; `None` if it has no line.
pub(crate) fn first_seq(mut file: &File) -> io::Result<Option<u64>> {
    let mut line = Vec::new();
    BufReader::new(&mut file)
        .take(MAX_LINE as u64 + 1)
        .read_until(b'\n', &mut line)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(Link::parse(&line).ok().map(|link| link.seq))
}
