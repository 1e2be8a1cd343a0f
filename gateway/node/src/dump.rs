//! Dumps a container into a folder.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::author::{Author, Dialect};
use crate::container::Container;
use crate::dump_error::{DumpError, while_trying_to};
use crate::freeze::Frozen;
use crate::session::Session;
use crate::{document, rootfs};

/// A dump on disk: the members of an archive as files. Dropping it deletes them, unless they are to be kept.
#[derive(Debug)]
pub(crate) struct Dump {
    folder: PathBuf,
    /// The container, while it stays frozen.
    frozen: Option<Frozen>,
    keep: bool,
}

impl Dump {
    /// Freezes the container, copies its processes to `folder`, and adds the other members. In containerd's manner the
    /// container goes on as soon as its processes are copied; in CRI-O's it stays frozen until [`Dump::exported`]. Blocks the
    /// thread.
    pub(crate) fn create(
        container: &Container,
        author: &Author,
        folder: PathBuf,
    ) -> Result<Self, DumpError> {
        let started = jiff::Timestamp::now();
        remove_folder(&folder).map_err(while_trying_to("remove an earlier dump"))?;
        let mut dump = Self {
            folder,
            frozen: None,
            keep: false,
        };
        let images = dump.folder.join("checkpoint");
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&images)
            .map_err(while_trying_to("create the folder for the dump"))?;
        let mut session = Session::new(&images, author);
        let frozen = session.processes(container)?;
        match author.dialect {
            Dialect::Containerd => drop(frozen),
            Dialect::CriO => dump.frozen = Some(frozen),
        }
        session
            .write_log_and_stats(&dump.folder)
            .map_err(while_trying_to("write the dump's statistics"))?;
        dump.add_documents(container, author, started)
            .map_err(while_trying_to("describe the container"))?;
        dump.add_files(container, author.dialect)
            .map_err(while_trying_to("copy the container's files"))?;
        // CRI-O leaves it there if the archive cannot be written.
        dump.keep = author.dialect == Dialect::CriO;
        Ok(dump)
    }

    /// To be called when the archive is written: the container goes on, and the dump is not needed any more.
    pub(crate) fn exported(&mut self) {
        self.frozen = None;
        self.keep = false;
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
        if self.keep {
            return;
        }
        if let Err(error) = remove_folder(&self.folder) {
            tracing::warn!(error = %error, folder = %self.folder.display(), "could not delete a dump");
        }
    }
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
