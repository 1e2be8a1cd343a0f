use std::ffi::CStr;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use gateway_core::Checkpoint;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::directory::Directory;
use crate::{Error, name, tree};

/// No metadata of ours is larger, in bytes.
const MAX_METADATA: u64 = 1 << 20;

/// Something that a crash left and that opening the store removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// Where it was.
    pub path: PathBuf,
    /// How much it held.
    pub bytes: u64,
    /// What it was.
    pub what: Leftover,
}

/// What a crash can leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leftover {
    /// An archive that was never published.
    Incoming,
    /// Metadata of an archive that was about to be published.
    Metadata,
}

impl Leftover {
    /// The word for it in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "unpublished archive",
            Self::Metadata => "metadata without archive",
        }
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Removes what a crash left. Only to be called under the store's lock. Whatever is not certainly ours stays.
pub(crate) fn sweep(directory: &Directory) -> Result<Vec<Cleaned>, Error> {
    let mut cleaned = Vec::new();
    let incoming = directory.incoming();
    for name in tree::names(incoming).map_err(Error::io("list", directory.incoming_path()))? {
        let path = directory.incoming_path().join(name.to_string_lossy().as_ref());
        let bytes = tree::remove(incoming, &name).map_err(Error::io("remove", &path))?;
        cleaned.push(Cleaned { path, bytes, what: Leftover::Incoming });
    }
    for name in tree::names(directory.fd()).map_err(Error::io("list", directory.path()))? {
        let path = directory.path().join(name.to_string_lossy().as_ref());
        if is_orphan(directory, &name).map_err(Error::io("look at", &path))? {
            let bytes = tree::remove(directory.fd(), &name).map_err(Error::io("remove", &path))?;
            cleaned.push(Cleaned { path, bytes, what: Leftover::Metadata });
        }
    }
    Ok(cleaned)
}

/// Whether `name` is metadata that we wrote for an archive that is not there.
fn is_orphan(directory: &Directory, name: &CStr) -> Result<bool, Errno> {
    let Some(archive) = name.to_str().ok().and_then(|name| name.strip_suffix(name::METADATA)) else {
        return Ok(false);
    };
    if !archive.starts_with(name::PREFIX) || !archive.ends_with(name::ARCHIVE) {
        return Ok(false);
    }
    match rustix::fs::statat(directory.fd(), archive, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(false),
        Err(Errno::NOENT) => describes(directory, name, archive),
        Err(error) => Err(error),
    }
}

fn describes(directory: &Directory, name: &CStr, archive: &str) -> Result<bool, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(directory.fd(), name, flags, Mode::empty()) {
        Err(Errno::LOOP) => return Ok(false),
        opened => File::from(opened?),
    };
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(false);
    }
    let metadata = serde_json::from_reader::<_, Checkpoint>(BufReader::new(file.take(MAX_METADATA)));
    Ok(metadata.is_ok_and(|checkpoint| checkpoint.path.file_name().is_some_and(|name| name == archive)))
}
