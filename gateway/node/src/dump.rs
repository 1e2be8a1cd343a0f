use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::container::Container;
use crate::session::Session;
use crate::{Dialect, document, rootfs};

/// Why a container could not be dumped.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}: {source}")]
pub(crate) struct DumpError {
    doing: String,
    source: io::Error,
}

/// A dump on disk: the members of an archive, as files. It goes when this does.
#[derive(Debug)]
pub(crate) struct Dump {
    folder: PathBuf,
}

/// What the node calls itself in archives.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    pub(crate) runtime: String,
    pub(crate) version: String,
    pub(crate) dialect: Dialect,
}

impl Dump {
    /// Stops the container, copies it to `folder`, lets it go on, and adds what can be read while it runs. Blocks the
    /// thread.
    pub(crate) fn take(
        container: &Container,
        author: &Author,
        folder: PathBuf,
    ) -> Result<Self, DumpError> {
        let begun = jiff::Timestamp::now();
        let dump = Self { folder };
        let images = dump.folder.join("checkpoint");
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&images)
            .map_err(while_doing("create the folder for the dump"))?;
        let mut session = Session::new(&images, author);
        session.processes(container)?;
        session
            .write_log_and_stats(&dump.folder)
            .map_err(while_doing("write the dump's statistics"))?;
        dump.add_documents(container, author, begun)
            .map_err(while_doing("describe the container"))?;
        dump.add_files(container, author.dialect)
            .map_err(while_doing("copy the container's files"))?;
        Ok(dump)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn add_documents(
        &self,
        container: &Container,
        author: &Author,
        begun: jiff::Timestamp,
    ) -> io::Result<()> {
        let documents = [
            ("config.dump", document::config(container, author, begun)),
            ("spec.dump", document::spec(container)),
            ("status.dump", document::status_dump(container)),
            ("status", document::status(container)),
            ("bind.mounts", document::bind_mounts(container)),
        ];
        documents.iter().try_for_each(|(name, document)| {
            fs::write(self.folder.join(name), document.to_string())
        })
    }

    fn add_files(&self, container: &Container, dialect: Dialect) -> io::Result<()> {
        let log = self.folder.join("container.log");
        match fs::copy(&container.log_path, &log) {
            // A container that never said anything may have none yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::write(&log, "")?,
            copied => drop(copied?),
        }
        rootfs::write(
            &container.rootfs,
            &self.folder.join("rootfs-diff.tar"),
            dialect,
        )
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(error = %error, folder = %self.folder.display(), "a dump is left behind");
        }
    }
}

pub(crate) fn while_doing(doing: &str) -> impl FnOnce(io::Error) -> DumpError {
    let doing = doing.to_owned();
    move |source| DumpError { doing, source }
}
