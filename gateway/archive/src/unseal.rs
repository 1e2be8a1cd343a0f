use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use age::{DecryptError, Decryptor};
use rustix::fs::{AtFlags, CWD, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::Identities;
use crate::directory::PRIVATE_FILE;

/// What every sealed file begins with (age-encryption.org/v1, "Version line").
const VERSION: &[u8] = b"age-encryption.org/v1\n";

/// The longest header that is read, in bytes: many times that of 64 recipients.
const MAX_HEADER: u64 = 64 << 10;

/// What the line begins with that ends a header.
const LAST_LINE: &[u8] = b"--- ";

/// Why something sealed could not be opened. Never holds a key, nor anything of what is sealed.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// It is not sealed, or not as binary age v1.
    #[error("this is no sealed archive: it does not begin as an age v1 file does")]
    NotSealed,
    /// It is sealed for others.
    #[error(
        "none of the identities opens this: it is sealed for others, or its header was altered"
    )]
    WrongKey,
    /// It ends too early.
    #[error("the sealed archive is cut short, or its last 64 KiB were altered")]
    CutShort,
    /// Its bytes are not those that were sealed.
    #[error("the sealed archive was altered or is damaged")]
    Altered,
    /// A line of the identity file is none. Not repeated: it may be a mistyped key.
    #[error("line {line} of the identity file is no age identity (expected `AGE-SECRET-KEY-1...`)")]
    BadIdentity {
        /// Which line, from 1.
        line: usize,
    },
    /// The identity file has none.
    #[error("the identity file holds no identity")]
    NoIdentity,
    /// The identity file is no text of a sensible length.
    #[error("the identity file is no text of at most {max} bytes")]
    IdentityFile {
        /// What it may have, in bytes.
        max: u64,
    },
    /// What is to be written is there already.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// What is sealed could not be read, or what was sealed not be written.
    #[error("cannot {0}")]
    Stream(&'static str, #[source] io::Error),
}

/// Opens what is sealed into `output` and tells how many bytes it was. What was written before an error must not be used:
/// only the last byte says that it is whole.
pub fn unseal(
    input: impl Read,
    identities: &Identities,
    output: &mut impl Write,
) -> Result<u64, UnsealError> {
    let ended = Cell::new(false);
    let mut input = BufReader::new(Watched {
        input,
        ended: &ended,
    });
    let header = read_header(&mut input)?;
    let opened = Decryptor::new_buffered(header.as_slice().chain(input))
        .and_then(|sealed| sealed.decrypt(identities.iter()));
    let mut opened = opened.map_err(of_header)?;
    let mut buffer = vec![0; 64 << 10];
    let mut bytes = 0u64;
    loop {
        let length = match opened.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(of_body(error, ended.get())),
        };
        let plain = buffer.get(..length).unwrap_or_default();
        output
            .write_all(plain)
            .map_err(|error| UnsealError::Stream("write what was sealed", error))?;
        bytes = bytes.saturating_add(length as u64);
    }
}

/// Opens the sealed file `from` with the identities in `identity_file` and writes the new private file `to`: whole, or not
/// at all. Tells how many bytes it has.
///
/// # Errors
/// [`UnsealError::Exists`] where `to` is there, before anything is read, and again at the end.
pub fn unseal_file(from: &Path, to: &Path, identity_file: &Path) -> Result<u64, UnsealError> {
    if to.symlink_metadata().is_ok() {
        return Err(UnsealError::Exists {
            path: to.to_owned(),
        });
    }
    let identities = Identities::read(identity_file)?;
    let input = File::open(from).map_err(failed("open", from))?;
    let beside = Beside::create(to)?;
    let mut output = BufWriter::with_capacity(1 << 20, &beside.file);
    let bytes = unseal(input, &identities, &mut output)?;
    output.flush().map_err(failed("write", to))?;
    drop(output);
    beside.become_file(to)?;
    Ok(bytes)
}

pub(crate) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> UnsealError {
    move |source| UnsealError::Io {
        what,
        path: path.to_owned(),
        source,
    }
}

/// A file in the directory of what it is to become: without a name where the filesystem can do that, so that not even a
/// killed program leaves a part of what was sealed; with a temporary one elsewhere. Dropped, it is gone.
struct Beside {
    file: File,
    directory: PathBuf,
    temporary: Option<PathBuf>,
}

impl Beside {
    fn create(to: &Path) -> Result<Self, UnsealError> {
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new(".")).to_owned();
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, &directory, flags, PRIVATE_FILE) {
            Ok(fd) => Ok(Self {
                file: File::from(fd),
                directory,
                temporary: None,
            }),
            // By open(2): the filesystem cannot, or the kernel takes it for a directory that is opened for writing.
            Err(Errno::OPNOTSUPP | Errno::ISDIR) => Self::named(directory),
            Err(error) => Err(failed("create a file in", &directory)(error.into())),
        }
    }

    fn named(directory: PathBuf) -> Result<Self, UnsealError> {
        let path = directory.join(format!(".unsealing-{}", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let file = file.map_err(failed("create", &path))?;
        Ok(Self {
            file,
            directory,
            temporary: Some(path),
        })
    }

    /// Makes it durable, and then visible under its name, which must be free.
    fn become_file(self, to: &Path) -> Result<(), UnsealError> {
        self.file.sync_all().map_err(failed("sync", to))?;
        let named = self.temporary.as_ref().map_or_else(
            || {
                let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                rustix::fs::linkat(CWD, path, CWD, to, AtFlags::SYMLINK_FOLLOW)
            },
            |path| rustix::fs::renameat_with(CWD, path, CWD, to, RenameFlags::NOREPLACE),
        );
        match named {
            Err(Errno::EXIST) => {
                return Err(UnsealError::Exists {
                    path: to.to_owned(),
                });
            }
            named => named.map_err(|error| failed("create", to)(error.into()))?,
        }
        let synced = File::open(&self.directory).and_then(|directory| directory.sync_all());
        synced.map_err(failed("sync", &self.directory))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Has no such name any more where all went well.
        drop(self.temporary.take().map(std::fs::remove_file));
    }
}

/// Remembers whether the end was seen, which tells what is missing from what was altered.
struct Watched<'a, R> {
    input: R,
    ended: &'a Cell<bool>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.ended
            .set(self.ended.get() || (length == 0 && !buffer.is_empty()));
        Ok(length)
    }
}

/// All up to the line that ends a header, bounded: age would read one for ever.
fn read_header(input: &mut impl BufRead) -> Result<Vec<u8>, UnsealError> {
    let mut header = Vec::new();
    let mut input = input.take(MAX_HEADER);
    loop {
        let line = header.len();
        let length = input.read_until(b'\n', &mut header);
        let length = length.map_err(|error| UnsealError::Stream("read what is sealed", error))?;
        let known = header.get(..VERSION.len()).unwrap_or(&header);
        if known.is_empty() || !VERSION.starts_with(known) {
            return Err(UnsealError::NotSealed);
        }
        if header
            .get(line..)
            .is_some_and(|line| line.starts_with(LAST_LINE) && line.ends_with(b"\n"))
        {
            return Ok(header);
        }
        match (length, input.limit()) {
            (_, 0) => return Err(UnsealError::Altered),
            (0, _) => return Err(UnsealError::CutShort),
            _ => {}
        }
    }
}

fn of_header(error: DecryptError) -> UnsealError {
    match error {
        DecryptError::NoMatchingKeys => UnsealError::WrongKey,
        DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            UnsealError::CutShort
        }
        DecryptError::Io(error) => UnsealError::Stream("read what is sealed", error),
        DecryptError::UnknownFormat => UnsealError::NotSealed,
        _ => UnsealError::Altered,
    }
}

fn of_body(error: io::Error, ended: bool) -> UnsealError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => UnsealError::CutShort,
        io::ErrorKind::InvalidData if ended => UnsealError::CutShort,
        io::ErrorKind::InvalidData => UnsealError::Altered,
        _ => UnsealError::Stream("read what is sealed", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_visible_whole_or_leaves_nothing_with_and_without_a_temporary_name() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("out");
        let names = || std::fs::read_dir(home.path()).unwrap().count();
        for named in [false, true] {
            let beside = if named {
                Beside::named(home.path().to_owned())
            } else {
                Beside::create(&to)
            };
            let beside = beside.unwrap();
            (&beside.file).write_all(b"whole").unwrap();
            beside.become_file(&to).unwrap();
            assert_eq!(
                (std::fs::read(&to).unwrap(), names()),
                (b"whole".to_vec(), 1)
            );
            let late = Beside::named(home.path().to_owned()).unwrap();
            assert!(matches!(
                late.become_file(&to),
                Err(UnsealError::Exists { .. })
            ));
            assert_eq!(names(), 1, "nothing is left beside it");
            std::fs::remove_file(&to).unwrap();
        }
        drop(Beside::create(&to).unwrap());
        assert_eq!(names(), 0);
    }
}
