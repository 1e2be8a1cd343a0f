//! Creates the folders that a gateway writes to.

use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use tracing::info;

use crate::config::Config;
use crate::start_error::StartError;

/// Creates the folders for checkpoints, the audit log and compiled policies where they are missing.
pub(super) fn create_missing(config: &Config) -> Result<(), StartError> {
    create(&config.checkpoints.directory)?;
    if let Some(folder) = config.audit.file.parent() {
        create(folder)?;
    }
    let cache = &config.policy_engine.cache_directory;
    // Without policies the cache stays empty, so an unusable folder does not matter.
    if config.policies.is_empty() && config.shadow.policies.is_empty() {
        let _ = create(cache);
        return Ok(());
    }
    create(cache)
}

/// Creates `folder` and the missing folders above it. Only the gateway's user may enter them.
fn create(folder: &Path) -> Result<(), StartError> {
    let is_missing =
        |folder: &&Path| !folder.as_os_str().is_empty() && matches!(folder.try_exists(), Ok(false));
    let missing: Vec<_> = folder.ancestors().take_while(is_missing).collect();
    for path in missing.into_iter().rev() {
        create_one(path).map_err(|source| StartError::Folder {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(())
}

fn create_one(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {
            info!(folder = %folder.display(), "created a missing folder");
            Ok(())
        }
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
