use std::fmt;
use std::path::PathBuf;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::directory::Directory;
use crate::{Error, metadata, name, tree};

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
    /// An original whose redacted archive was about to be published, or was removed.
    Original,
    /// A hold on an archive that is gone.
    Hold,
}

impl Leftover {
    /// The word for it in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "unpublished archive",
            Self::Metadata => "metadata without archive",
            Self::Original => "original without archive",
            Self::Hold => "hold without archive",
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
        let path = directory
            .incoming_path()
            .join(name.to_string_lossy().as_ref());
        let bytes = tree::remove(incoming, &name).map_err(Error::io("remove", &path))?;
        cleaned.push(Cleaned {
            path,
            bytes,
            what: Leftover::Incoming,
        });
    }
    let mut leftovers = Vec::new();
    for name in tree::names(directory.fd()).map_err(Error::io("list", directory.path()))? {
        if let Some(what) = name
            .to_str()
            .map_or(Ok(None), |name| leftover(directory, name))?
        {
            leftovers.push((name, what));
        }
    }
    // Metadata last: it tells that the rest was ours.
    leftovers.sort_by_key(|(name, what)| (*what == Leftover::Metadata, name.clone()));
    for (name, what) in leftovers {
        let path = directory.path().join(name.to_string_lossy().as_ref());
        let bytes = tree::remove(directory.fd(), &name).map_err(Error::io("remove", &path))?;
        cleaned.push(Cleaned { path, bytes, what });
    }
    Ok(cleaned)
}

/// What `name` is, if it is certainly ours and its archive is not there.
fn leftover(directory: &Directory, name: &str) -> Result<Option<Leftover>, Error> {
    let beside =
        |suffix| name::archive_of(name, suffix).filter(|archive| is_absent(directory, archive));
    let described = |archive: &str| Ok::<_, Error>(metadata::read(directory, archive)?.is_some());
    if let Some(archive) = beside(name::METADATA) {
        return Ok(described(archive)?.then_some(Leftover::Metadata));
    }
    for (suffix, what) in [
        (name::HOLD, Leftover::Hold),
        (name::SEALED, Leftover::Original),
    ] {
        if let Some(archive) = beside(suffix) {
            return Ok((name::is_ours(archive) || described(archive)?).then_some(what));
        }
    }
    let archive = name
        .strip_suffix(name::PLAINTEXT)
        .map(|stem| format!("{stem}{}", name::ARCHIVE));
    let lost =
        archive.is_some_and(|archive| name::is_ours(&archive) && is_absent(directory, &archive));
    Ok(lost.then_some(Leftover::Original))
}

/// Only a certain no counts: what cannot be looked at is there.
fn is_absent(directory: &Directory, name: &str) -> bool {
    let looked = rustix::fs::statat(directory.fd(), name, AtFlags::SYMLINK_NOFOLLOW);
    looked.is_err_and(|error| error == Errno::NOENT)
}
