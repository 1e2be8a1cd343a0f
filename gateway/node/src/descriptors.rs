//! Writes the images of open files: `files.img`, `fs-PID.img` and `fdinfo-ID.img`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use procfs::process::{FDTarget, Process};

use crate::image::{Image, Kind};
use crate::message::{Descriptor, FileEntry, Folders, Owner, Pipe, RegularFile};

const REGULAR: i32 = 1;
const PIPE: i32 = 2;

/// The open files of a container's processes: `files.img`. The other images refer to them by number.
#[derive(Debug, Default)]
pub(crate) struct Files {
    names: BTreeMap<PathBuf, u32>,
    pipes: BTreeMap<u64, u32>,
    entries: Vec<FileEntry>,
}

impl Files {
    /// The number of a named file; never 0.
    pub(crate) fn regular(&mut self, name: &Path) -> u32 {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = self.add(REGULAR, |id, entry| {
            entry.regular = Some(RegularFile {
                id,
                flags: 0,
                position: 0,
                owner: Owner::default(),
                name: name.display().to_string(),
            });
        });
        self.names.insert(name.to_owned(), id);
        id
    }

    fn pipe(&mut self, inode: u64) -> u32 {
        if let Some(id) = self.pipes.get(&inode) {
            return *id;
        }
        let id = self.add(PIPE, |id, entry| {
            entry.pipe = Some(Pipe {
                id,
                // Like CRIU, keep the low half of the inode number.
                inode: u32::try_from(inode & u64::from(u32::MAX)).unwrap_or_default(),
                flags: 1,
                owner: Owner::default(),
            });
        });
        self.pipes.insert(inode, id);
        id
    }

    fn add(&mut self, kind: i32, fill: impl FnOnce(u32, &mut FileEntry)) -> u32 {
        let id = u32::try_from(self.entries.len()).unwrap_or(u32::MAX - 1) + 1;
        let mut entry = FileEntry {
            kind,
            id,
            regular: None,
            pipe: None,
        };
        fill(id, &mut entry);
        self.entries.push(entry);
        id
    }

    /// Writes `fs-PID.img` and `fdinfo-ID.img` of one stopped process. Descriptors that are neither pipes nor named files
    /// (sockets, event descriptors) are omitted.
    pub(crate) fn dump(&mut self, process: &Process, id: u32, folder: &Path) -> io::Result<()> {
        let folders = Folders {
            working: self.regular(&process.cwd().map_err(io::Error::other)?),
            root: self.regular(&process.root().map_err(io::Error::other)?),
        };
        Image::write(
            &folder.join(format!("fs-{}.img", process.pid)),
            Kind::Folders,
            &folders,
        )?;
        let mut image = Image::create(&folder.join(format!("fdinfo-{id}.img")), Kind::Descriptors)?;
        for open in process.fd().map_err(io::Error::other)? {
            let open = open.map_err(io::Error::other)?;
            let (kind, file) = match &open.target {
                FDTarget::Path(name) => (REGULAR, self.regular(name)),
                FDTarget::Pipe(inode) => (PIPE, self.pipe(*inode)),
                _ => continue,
            };
            image.entry(&Descriptor {
                file,
                flags: 0,
                kind,
                number: open.fd.unsigned_abs(),
            })?;
        }
        image.finish()
    }

    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut image = Image::create(&folder.join("files.img"), Kind::Files)?;
        self.entries
            .iter()
            .try_for_each(|entry| image.entry(entry))?;
        image.finish()
    }
}
