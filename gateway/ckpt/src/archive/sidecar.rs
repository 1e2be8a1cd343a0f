//! The files beside an archive: its metadata (`NAME.tar.json`) and its digest (`NAME.tar.sha256`).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use gateway_core::Checkpoint;
use gateway_files::with_suffix;
use gateway_redact::Owner;

/// The longest metadata file that is read, in bytes.
const MAX_METADATA: u64 = 1 << 20;
/// The longest digest file that is read, in bytes.
const MAX_DIGEST: u64 = 8 << 10;

/// The metadata of an archive; `None` where there is no such file.
pub(super) fn metadata(archive: &Path) -> Result<Option<Checkpoint>> {
    let path = metadata_path(archive);
    let Some(text) = read(&path, MAX_METADATA)? else {
        return Ok(None);
    };
    let metadata = serde_json::from_slice(&text);
    metadata
        .map(Some)
        .with_context(|| format!("`{}` is not the metadata of a checkpoint", path.display()))
}

/// The container that the metadata names.
pub(super) fn owner(metadata: &Checkpoint) -> Owner<'_> {
    Owner {
        target: &metadata.target,
        pod_uid: &metadata.pod_uid,
        named_by: "the metadata",
    }
}

/// The digest in the file `NAME.tar.sha256`; `None` where there is no such file.
pub(super) fn digest(archive: &Path) -> Result<Option<String>> {
    let path = digest_path(archive);
    let Some(text) = read(&path, MAX_DIGEST)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&text);
    let digest = text.split_whitespace().next().unwrap_or_default();
    if digest.len() != 64 || hex::decode(digest).is_err() {
        bail!(
            "`{}` does not begin with a SHA-256 digest in hex",
            path.display()
        );
    }
    Ok(Some(digest.to_lowercase()))
}

/// A digest file's text, which `sha256sum --check` reads, too.
pub(super) fn digest_text(archive: &Path, sha256: &str) -> String {
    let name = archive.file_name().unwrap_or_default();
    format!("{sha256}  {}\n", name.to_string_lossy())
}

pub(super) fn metadata_path(archive: &Path) -> PathBuf {
    with_suffix(archive, ".json")
}

pub(super) fn digest_path(archive: &Path) -> PathBuf {
    with_suffix(archive, ".sha256")
}

/// At most `max` bytes of a file; `None` where it does not exist.
fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>> {
    match gateway_files::read(path, max) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
