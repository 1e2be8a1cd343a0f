use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use gateway_core::Checkpoint;

/// More than any metadata has, in bytes.
const MAX: u64 = 1 << 20;

/// The metadata that lies beside `archive`, if there is any.
pub(super) fn metadata(archive: &Path) -> anyhow::Result<Option<Checkpoint>> {
    let path = path(archive);
    let read = || format!("cannot read `{}`", path.display());
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        about => ensure!(
            about.with_context(read)?.is_file(),
            "`{}` is no file",
            path.display()
        ),
    }
    let mut text = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(MAX).read_to_end(&mut text))
        .with_context(read)?;
    let metadata = serde_json::from_slice(&text);
    metadata
        .map(Some)
        .with_context(|| format!("`{}` is no checkpoint's metadata", path.display()))
}

/// Where metadata lies: `NAME.tar.json` beside `NAME.tar`.
pub(super) fn path(archive: &Path) -> PathBuf {
    let mut name = archive.as_os_str().to_owned();
    name.push(".json");
    name.into()
}
