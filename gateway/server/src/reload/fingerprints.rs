//! Fingerprints of files: they change when a file is replaced, rewritten or made readable.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of a configuration with their fingerprints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprints(BTreeMap<PathBuf, Option<Fingerprint>>);

/// The real path of a file (symbolic links resolved), its inode, size and change time. Not its modification time: a new mode
/// alone may make a key usable.
type Fingerprint = (PathBuf, u64, u64, i64, i64);

impl Fingerprints {
    /// The fingerprints of `files` now.
    pub(super) fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let with_fingerprint = |file: PathBuf| {
            let fingerprint = fingerprint(&file);
            (file, fingerprint)
        };
        Self(files.into_iter().map(with_fingerprint).collect())
    }

    /// The fingerprints of the same files now.
    pub(super) fn again(&self) -> Self {
        Self::of(self.0.keys().cloned())
    }

    /// The fingerprints of `files`, with the older ones of `self` where it has them: a file that has changed since then is
    /// yet to be read.
    pub(super) fn carried_over_to(&self, files: impl IntoIterator<Item = PathBuf>) -> Self {
        let now = Self::of(files);
        let older = |(file, now): (PathBuf, Option<Fingerprint>)| {
            let fingerprint = self.0.get(&file).cloned().unwrap_or(now);
            (file, fingerprint)
        };
        Self(now.0.into_iter().map(older).collect())
    }
}

/// `None` where there is no such file.
fn fingerprint(file: &Path) -> Option<Fingerprint> {
    let path = file.canonicalize().ok()?;
    let metadata = path.metadata().ok()?;
    Some((
        path,
        metadata.ino(),
        metadata.size(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_has_another_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.wasm");
        let missing = Fingerprints::of([file.clone()]);
        std::fs::write(&file, "one").unwrap();
        let first = missing.again();
        assert_ne!(first, missing);
        assert_eq!(first.again(), first);
        let next = folder.path().join("next");
        std::fs::write(&next, "two").unwrap();
        std::fs::rename(&next, &file).unwrap();
        assert_ne!(first.again(), first);
        assert_eq!(first.carried_over_to([file]), first);
    }
}
