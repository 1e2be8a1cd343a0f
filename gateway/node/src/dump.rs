//! Dumps a container into a folder.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::author::{Author, Dialect};
use crate::container::Container;
use crate::dump_error::{DumpError, while_trying_to};
use crate::session::Session;
use crate::{document, rootfs};

/// A dump on disk: the members of an archive as files. Dropping it deletes them.
#[derive(Debug)]
pub(crate) struct Dump {
    folder: PathBuf,
}

impl Dump {
    /// Freezes the container, copies its processes to `folder`, thaws it, and adds the members that can be read while it
    /// runs. Blocks the thread.
    pub(crate) fn create(
        container: &Container,
        author: &Author,
        folder: PathBuf,
    ) -> Result<Self, DumpError> {
        let started = jiff::Timestamp::now();
        let dump = Self { folder };
        let images = dump.folder.join("checkpoint");
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&images)
            .map_err(while_trying_to("create the folder for the dump"))?;
        let mut session = Session::new(&images, author);
        session.processes(container)?;
        session
            .write_log_and_stats(&dump.folder)
            .map_err(while_trying_to("write the dump's statistics"))?;
        dump.add_documents(container, author, started)
            .map_err(while_trying_to("describe the container"))?;
        dump.add_files(container, author.dialect)
            .map_err(while_trying_to("copy the container's files"))?;
        Ok(dump)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn add_documents(
        &self,
        container: &Container,
        author: &Author,
        started: jiff::Timestamp,
    ) -> io::Result<()> {
        let documents = [
            ("config.dump", document::config(container, author, started)),
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
            // A container without output may have no log yet.
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
            tracing::warn!(error = %error, folder = %self.folder.display(), "could not delete a dump");
        }
    }
}
