//! Opens archives and checks the paths of new files.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, ensure};

/// Opens a regular file; returns it with its size in bytes.
pub(super) fn open(path: &Path) -> anyhow::Result<(File, u64)> {
    let file = gateway_files::open(path)?;
    let metadata = file.metadata();
    let metadata = metadata.with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok((file, metadata.len()))
}

/// Checks that nothing has the path of a file or folder that is to be created.
pub(super) fn expect_free(path: &Path) -> anyhow::Result<()> {
    ensure!(
        path.symlink_metadata().is_err(),
        "`{}` exists already; it is not overwritten",
        path.display()
    );
    Ok(())
}
