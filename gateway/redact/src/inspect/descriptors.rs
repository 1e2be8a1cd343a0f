//! The descriptors, folders and programs of processes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use gateway_core::{FileKind, OpenFile, OpenSocket, Process, SocketFamily};

use super::archive_index::ArchiveIndex;
use super::file_table::{Described, FileTable};
use super::text::TextBudget;
use crate::Error;
use crate::criu::number_in;
use crate::part::Part;

/// The most descriptors of all processes together, and of one.
const MAX_DESCRIPTORS: usize = 100_000;
const MAX_LISTED: usize = 1000;
/// The largest entry, in bytes.
const MAX_ENTRY: usize = 64 << 10;
/// The types of sockets in an `fdinfo_entry`: internet, unix, packet, netlink.
const SOCKETS: [u64; 4] = [4, 5, 10, 13];

/// CRIU's numbers of the files that a process refers to.
#[derive(Debug, Default, Clone, Copy)]
struct References {
    table: Option<u64>,
    program: Option<u64>,
    cwd: Option<u64>,
    root: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Descriptor {
    fd: u64,
    file: u64,
    kind: u64,
}

/// Tables of descriptors by their numbers: processes can share one.
#[derive(Debug, Default)]
struct Tables {
    tables: BTreeMap<u64, Vec<Descriptor>>,
    count: usize,
}

/// Fills in what the processes have open. `programs` has the number of each one's program.
pub(super) fn fill<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    texts: &mut TextBudget,
    processes: &mut [Process],
    programs: &[Option<u64>],
) -> Result<(), Error> {
    let (mut tables, mut all) = (Tables::default(), Vec::new());
    for (process, program) in processes.iter().zip(programs) {
        let references = References::read(index, process.pid, *program)?;
        if let Some(table) = references.table {
            tables.read(index, table, texts)?;
        }
        all.push(references);
    }
    let named = all.iter().flat_map(References::files);
    let open = tables.tables.values().flatten();
    let wanted = named.chain(open.map(|descriptor| descriptor.file));
    let files = FileTable::read(index, wanted.collect(), texts)?;
    for (process, references) in processes.iter_mut().zip(&all) {
        let mut path = |file: Option<u64>| files.path(file?, texts);
        process.executable = path(references.program);
        process.cwd = path(references.cwd);
        process.root = path(references.root);
        let table = references.table.and_then(|id| tables.tables.get(&id));
        list(process, table.map_or(&[], Vec::as_slice), &files, texts);
    }
    Ok(())
}

fn list(process: &mut Process, table: &[Descriptor], files: &FileTable, texts: &mut TextBudget) {
    if table.len() > MAX_LISTED {
        texts.note_omission();
    }
    for descriptor in table.iter().take(MAX_LISTED) {
        let Some(described) = files.describe(descriptor.file, texts) else {
            if !texts.spend(0) {
                return;
            }
            add_unknown(process, descriptor);
            continue;
        };
        let fd = descriptor.fd;
        match described {
            Described::File(file) => process.files.push(OpenFile { fd, ..file }),
            Described::Socket(socket) => process.sockets.push(OpenSocket { fd, ..socket }),
        }
    }
}

/// A descriptor whose file is not in the archive.
fn add_unknown(process: &mut Process, descriptor: &Descriptor) {
    let fd = descriptor.fd;
    if SOCKETS.contains(&descriptor.kind) {
        process.sockets.push(OpenSocket {
            fd,
            ..OpenSocket::of(SocketFamily::Unknown)
        });
    } else {
        process.files.push(OpenFile {
            fd,
            ..OpenFile::of(FileKind::Unknown)
        });
    }
}

impl References {
    /// A `task_kobj_ids_entry` has the table in field 2; an `fs_entry` the working directory in 1 and the root in 2.
    fn read<R: Read + Seek>(
        index: &mut ArchiveIndex<R>,
        pid: u64,
        program: Option<u64>,
    ) -> Result<Self, Error> {
        let mut references = Self {
            program,
            ..Self::default()
        };
        index.entries(Part::Ids(pid), MAX_ENTRY, |entry| {
            references.table = references.table.or_else(|| number_in(entry, 2));
            true
        })?;
        index.entries(Part::Folders(pid), MAX_ENTRY, |entry| {
            references.cwd = references.cwd.or_else(|| number_in(entry, 1));
            references.root = references.root.or_else(|| number_in(entry, 2));
            true
        })?;
        Ok(references)
    }

    fn files(&self) -> impl Iterator<Item = u64> + use<> {
        [self.program, self.cwd, self.root].into_iter().flatten()
    }
}

impl Tables {
    /// Reads the table of this number, once.
    fn read<R: Read + Seek>(
        &mut self,
        index: &mut ArchiveIndex<R>,
        id: u64,
        texts: &mut TextBudget,
    ) -> Result<(), Error> {
        if self.tables.contains_key(&id) {
            return Ok(());
        }
        let (mut table, room) = (BTreeSet::new(), MAX_DESCRIPTORS - self.count);
        index.entries(Part::Descriptors(id), MAX_ENTRY, |entry| {
            let Some(descriptor) = Descriptor::read(entry) else {
                return false;
            };
            if table.len() < room {
                table.insert(descriptor);
            } else {
                texts.note_omission();
            }
            true
        })?;
        self.count += table.len();
        self.tables.insert(id, table.into_iter().collect());
        Ok(())
    }
}

impl Descriptor {
    /// Reads an `fdinfo_entry`: 1 `id`, 3 `type`, 4 `fd`.
    fn read(entry: &[u8]) -> Option<Self> {
        Some(Self {
            fd: number_in(entry, 4)?,
            file: number_in(entry, 1)?,
            kind: number_in(entry, 3)?,
        })
    }
}
