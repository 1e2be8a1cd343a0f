//! Removes what a crash of the gateway left in the store.

use std::ffi::OsStr;
use std::fmt;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::thread::Builder;
use std::time::Duration;

use gateway_files::PrivateFolder;

use crate::directory::Directory;
use crate::drain::discard;
use crate::fifo::Fifo;
use crate::work_folder::LOCATION;
use crate::{Error, metadata, name, tree};

/// The time for which a runtime that still writes may be silent.
const LINGER: Duration = Duration::from_mins(10);

/// A leftover of a crash that was removed when the store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// Its path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its kind.
    pub kind: Leftover,
}

/// The kinds of files that a crash can leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leftover {
    /// An archive that was never published.
    Incoming,
    /// Metadata of an archive that was about to be published.
    Metadata,
    /// An original whose redacted archive was about to be published, or was removed.
    Original,
    /// A hold on an archive that does not exist any more.
    Hold,
    /// The unmasked description of the container of an archive that does not exist.
    Facts,
}

impl Leftover {
    /// Its name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "unpublished archive",
            Self::Metadata => "metadata without archive",
            Self::Original => "original without archive",
            Self::Hold => "hold without archive",
            Self::Facts => "container's description without archive",
        }
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Removes leftovers of a crash. To be called only under the store's lock. Files that are not certainly the store's stay.
pub(crate) fn remove_leftovers(directory: &Directory) -> Result<Vec<Cleaned>, Error> {
    let mut cleaned = remove_incoming(directory.incoming())?;
    let mut leftovers = Vec::new();
    for name in directory.names()? {
        if let Some(kind) = leftover(directory, &name)? {
            leftovers.push((name, kind));
        }
    }
    // Metadata last: it shows that the rest is the store's.
    leftovers.sort_by_key(|(name, kind)| (*kind == Leftover::Metadata, name.clone()));
    for (name, kind) in leftovers {
        let bytes = directory.remove_tree(&name)?;
        let path = directory.path_of(&name);
        cleaned.push(Cleaned { path, bytes, kind });
    }
    Ok(cleaned)
}

fn remove_incoming(incoming: &PrivateFolder) -> Result<Vec<Cleaned>, Error> {
    let mut cleaned = Vec::new();
    let names = tree::names(incoming.as_fd()).map_err(Error::io("list", incoming.path()))?;
    for name in names {
        let os_name = OsStr::from_bytes(name.to_bytes());
        let path = incoming.path_of(os_name);
        if let Ok(folder) = incoming.open_folder(os_name) {
            release_writer(&folder);
        }
        let removed = tree::remove(incoming.as_fd(), &name);
        let bytes = removed.map_err(Error::io("remove", &path))?;
        let kind = Leftover::Incoming;
        cleaned.push(Cleaned { path, bytes, kind });
    }
    Ok(cleaned)
}

/// Lets a runtime go on that still writes into the FIFO of a gateway that was killed. Nobody else could read from it, and the
/// runtime may keep its container paused until all is read. What cannot be opened is only removed.
fn release_writer(folder: &PrivateFolder) {
    if let Ok(Some(mut fifo)) = Fifo::reopen(folder, LOCATION, LINGER) {
        // Without a thread the writer stays blocked, as it would without this.
        let _ = Builder::new()
            .name("archive-release".to_owned())
            .spawn(move || discard(&mut fifo, &mut 0));
    }
}

/// The kind of leftover that `name` is, if it is certainly the store's and its archive is not there.
fn leftover(directory: &Directory, name: &str) -> Result<Option<Leftover>, Error> {
    let beside =
        |suffix| name::archive_of(name, suffix).filter(|archive| is_absent(directory, archive));
    let described = |archive: &str| Ok::<_, Error>(metadata::read(directory, archive)?.is_some());
    if let Some(archive) = beside(name::METADATA) {
        return Ok(described(archive)?.then_some(Leftover::Metadata));
    }
    for (suffix, kind) in [
        (name::HOLD, Leftover::Hold),
        (name::SEALED, Leftover::Original),
        (name::FACTS, Leftover::Facts),
    ] {
        if let Some(archive) = beside(suffix) {
            return Ok((name::is_ours(archive) || described(archive)?).then_some(kind));
        }
    }
    let archive = name
        .strip_suffix(name::PLAINTEXT)
        .map(|stem| format!("{stem}{}", name::ARCHIVE));
    let lost =
        archive.is_some_and(|archive| name::is_ours(&archive) && is_absent(directory, &archive));
    Ok(lost.then_some(Leftover::Original))
}

/// Whether nothing has this name for certain: a name that cannot be looked up counts as taken.
fn is_absent(directory: &Directory, name: &str) -> bool {
    directory.status(name).is_ok_and(|status| status.is_none())
}
