//! The files of a log: closed segments, whose names sort and hold the place of their first line, and the active file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::chain::{LONGEST, Link};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;
/// How many digits the place of a segment's first line has at least, so that names sort.
const DIGITS: usize = 12;
/// What the name of a compressed segment ends with.
const GZIP: &str = ".gz";

/// A closed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The place of its first line.
    pub(crate) first: u64,
    /// Where it is, without the ending that a compressed one has.
    pub(crate) plain: PathBuf,
}

impl Segment {
    /// The segment of the log at `log` that begins with the line `first`.
    pub(crate) fn of(log: &Path, first: u64) -> Self {
        Self {
            first,
            plain: with(log, &format!(".{first:0DIGITS$}")),
        }
    }

    /// Where it is when it is compressed.
    pub(crate) fn compressed(&self) -> PathBuf {
        with(&self.plain, GZIP)
    }

    /// How many bytes it has uncompressed, as a compressed one says at its end (RFC 1952, section 2.3.1: modulo 2^32).
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        match std::fs::metadata(&self.plain) {
            Ok(meta) => return Ok(meta.len()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
        let (file, mut size) = (File::open(self.compressed())?, [0; 4]);
        file.read_exact_at(&mut size, file.metadata()?.len().saturating_sub(4))?;
        Ok(u32::from_le_bytes(size).into())
    }

    /// Opens it. It may be compressed while somebody reads: then it is there under the other name.
    pub(crate) fn open(&self) -> io::Result<(PathBuf, Box<dyn BufRead + Send>)> {
        let compressed = self.compressed();
        for path in [&self.plain, &compressed, &self.plain] {
            match open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => return Ok((path.clone(), lines(opened?)?)),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

/// The closed segments of the log at `log`, in order. One that is there both plain and compressed counts once.
pub(crate) fn closed(log: &Path) -> io::Result<Vec<Segment>> {
    let mut name = log.file_name().unwrap_or_default().to_owned();
    name.push(".");
    let mut firsts = Vec::new();
    for entry in folder(log).read_dir()? {
        firsts.extend(first(&entry?.file_name(), &name));
    }
    firsts.sort_unstable();
    firsts.dedup();
    Ok(firsts
        .into_iter()
        .map(|first| Segment::of(log, first))
        .collect())
}

/// The place of the first line of the segment that is called `name`; `None` for what is no segment of `log`.
fn first(name: &OsString, log: &OsString) -> Option<u64> {
    let rest = name.to_str()?.strip_prefix(log.to_str()?)?;
    let digits = rest.strip_suffix(GZIP).unwrap_or(rest);
    let first = digits.parse().ok()?;
    // One place has one name.
    (format!("{first:0DIGITS$}") == digits).then_some(first)
}

/// The folder of the file at `path`.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// `path` with `ending` behind its name.
pub(crate) fn with(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Makes what was made, renamed or removed in the folder of `path` outlast a crash.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Removes the file at `path`, if there is one.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens what is a file: a FIFO would wait for a writer.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_dir() || kind.is_fifo() || kind.is_socket() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    File::open(path)
}

/// The text of a file that may be compressed.
pub(crate) fn lines(file: File) -> io::Result<Box<dyn BufRead + Send>> {
    let mut bytes = BufReader::with_capacity(CHUNK, file);
    // No line of a log begins so.
    if bytes.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(
            CHUNK,
            MultiGzDecoder::new(bytes),
        )));
    }
    Ok(Box::new(bytes))
}

/// The place of the first line of an open file, which is read again from its beginning; `None` where it has none.
pub(crate) fn begins(mut file: &File) -> io::Result<Option<u64>> {
    let mut line = Vec::new();
    BufReader::new(&mut file)
        .take(LONGEST as u64 + 1)
        .read_until(b'\n', &mut line)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(Link::of(&line).ok().map(|link| link.seq))
}
