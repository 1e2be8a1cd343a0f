//! Writes files that everybody may read, as a compiler does.

use std::io::Write;
use std::path::Path;

use gateway_files::NewFile;

/// Writes `bytes` to `file` with mode 0644, durably and in one step: a gateway that watches the folder must not load a part of
/// a component.
pub(super) fn write_readable(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut new = NewFile::create(file)?.with_mode(0o644);
    new.write_all(bytes)?;
    Ok(new.replace()?)
}
