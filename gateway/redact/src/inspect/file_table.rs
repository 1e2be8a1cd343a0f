//! `files.img`: the files, pipes and sockets that descriptors refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use gateway_core::{FileAccess, FileKind, OpenFile, OpenSocket};

use super::archive_index::ArchiveIndex;
use super::socket;
use super::text::TextBudget;
use crate::Error;
use crate::criu::{Value, bytes_in, fields, number_in};
use crate::part::Part;

/// The largest entry, in bytes: an epoll lists what it watches.
const MAX_ENTRY: usize = 4 << 20;
/// Bytes of a path.
const MAX_PATH: usize = 4 << 10;
/// The bits of open flags that give the access, and `O_PATH` (the same number on every architecture of CRIU's).
const ACCESS: u64 = 0o3;
const O_PATH: u64 = 0o10_000_000;

/// A file or a socket, without a descriptor.
#[derive(Debug, Clone)]
pub(super) enum Described {
    File(OpenFile),
    Socket(OpenSocket),
}

/// The wanted entries by CRIU's numbers.
#[derive(Debug, Default)]
pub(crate) struct FileTable {
    entries: BTreeMap<u64, Described>,
    /// Pipes with names and terminals: the number of the entry that has the name.
    names: BTreeMap<u64, u64>,
}

impl FileTable {
    /// Reads the entries of these numbers, and those that have their names.
    pub(crate) fn read<R: Read + Seek>(
        index: &mut ArchiveIndex<R>,
        wanted: BTreeSet<u64>,
        texts: &mut TextBudget,
    ) -> Result<Self, Error> {
        let mut table = Self::default();
        table.add(index, wanted, texts)?;
        let names = table.names.values().copied();
        let missing: BTreeSet<_> = names.filter(|id| !table.entries.contains_key(id)).collect();
        if !missing.is_empty() {
            table.add(index, missing, texts)?;
        }
        Ok(table)
    }

    /// The path of the file of this number.
    pub(crate) fn path(&self, id: u64, texts: &mut TextBudget) -> Option<String> {
        let Some(Described::File(OpenFile { path, .. })) = self.entries.get(&id) else {
            return None;
        };
        path.clone().filter(|path| texts.spend(path.len()))
    }

    /// The entry of this number, as long as there is room for its texts.
    pub(super) fn describe(&self, id: u64, texts: &mut TextBudget) -> Option<Described> {
        let mut described = self.entries.get(&id)?.clone();
        if let (Described::File(file), Some(named)) = (&mut described, self.names.get(&id)) {
            file.path = self.path(*named, texts);
        }
        texts.spend(described.text()).then_some(described)
    }

    fn add<R: Read + Seek>(
        &mut self,
        index: &mut ArchiveIndex<R>,
        mut wanted: BTreeSet<u64>,
        texts: &mut TextBudget,
    ) -> Result<(), Error> {
        index.entries(Part::Files, MAX_ENTRY, |entry| {
            let Some(id) = number_in(entry, 2) else {
                return false;
            };
            if !wanted.remove(&id) {
                return true;
            }
            if let Some(described) = Described::read(entry, texts) {
                self.entries.insert(id, described);
            }
            self.names.extend(name_id(entry).map(|name| (id, name)));
            true
        })
    }
}

impl Described {
    /// Reads a `file_entry`: 1 `type`, then a message of that type.
    fn read(entry: &[u8], texts: &mut TextBudget) -> Option<Self> {
        let kind = number_in(entry, 1)?;
        let socket = match kind {
            4 => Some(socket::inet(bytes_in(entry, 4)?)),
            5 => Some(socket::unix(bytes_in(entry, 16)?, texts)),
            10 => Some(socket::packet(bytes_in(entry, 6)?)),
            13 => Some(socket::netlink(bytes_in(entry, 7)?)),
            _ => None,
        };
        if let Some(socket) = socket {
            return Some(Self::Socket(socket));
        }
        Some(Self::File(match kind {
            1 => regular(bytes_in(entry, 3)?, texts),
            2 => pipe(FileKind::Pipe, bytes_in(entry, 18)?, Some(3)),
            3 => pipe(FileKind::Fifo, bytes_in(entry, 17)?, None),
            7 => OpenFile {
                watches: Some(watches(bytes_in(entry, 9)?)),
                ..OpenFile::of(FileKind::Epoll)
            },
            11 => OpenFile {
                access: number_in(bytes_in(entry, 19)?, 3).map(access),
                ..OpenFile::of(FileKind::Terminal)
            },
            18 => memory(bytes_in(entry, 20)?),
            other => OpenFile::of(named(other)),
        }))
    }

    /// The bytes of its texts.
    fn text(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Self::File(file) => length(&file.path),
            Self::Socket(socket) => [
                &socket.protocol,
                &socket.state,
                &socket.local,
                &socket.remote,
            ]
            .into_iter()
            .map(length)
            .sum(),
        }
    }
}

/// The number of the entry that has a pipe's or a terminal's name: `regf_id`.
fn name_id(entry: &[u8]) -> Option<u64> {
    let fifo = bytes_in(entry, 17).and_then(|fifo| number_in(fifo, 3));
    fifo.or_else(|| number_in(bytes_in(entry, 19)?, 6))
}

/// A `reg_file_entry`: 2 `flags`, 3 `pos`, 6 `name`, 8 `size`.
fn regular(file: &[u8], texts: &mut TextBudget) -> OpenFile {
    OpenFile {
        path: bytes_in(file, 6).and_then(|name| texts.masked_line(name, MAX_PATH)),
        access: number_in(file, 2).map(access),
        position: number_in(file, 3),
        bytes: number_in(file, 8),
        ..OpenFile::of(FileKind::File)
    }
}

/// A `pipe_entry` or a `fifo_entry`: 2 `pipe_id`.
fn pipe(kind: FileKind, pipe: &[u8], flags: Option<u64>) -> OpenFile {
    OpenFile {
        pipe: number_in(pipe, 2),
        access: flags.and_then(|field| number_in(pipe, field)).map(access),
        ..OpenFile::of(kind)
    }
}

/// A `memfd_file_entry`: 2 `flags`, 3 `pos`, 5 `inode_id`.
fn memory(file: &[u8]) -> OpenFile {
    OpenFile {
        access: number_in(file, 2).map(access),
        position: number_in(file, 3),
        pipe: number_in(file, 5),
        ..OpenFile::of(FileKind::Memfd)
    }
}

/// Field 4 of an `eventpoll_file_entry` is a `tfd` for each descriptor.
fn watches(epoll: &[u8]) -> u64 {
    let all = fields(epoll).map_while(|field| field);
    all.filter(|field| matches!(field, (4, Value::Bytes(_))))
        .count() as u64
}

fn access(flags: u64) -> FileAccess {
    match flags & ACCESS {
        _ if flags & O_PATH != 0 => FileAccess::Path,
        0 => FileAccess::Read,
        1 => FileAccess::Write,
        _ => FileAccess::ReadWrite,
    }
}

/// A type (`fd_types`) of which only the kind is shown.
fn named(kind: u64) -> FileKind {
    match kind {
        6 => FileKind::Eventfd,
        8 => FileKind::Inotify,
        9 => FileKind::Signalfd,
        12 => FileKind::Fanotify,
        14 => FileKind::Namespace,
        15 => FileKind::Tun,
        16 => FileKind::External,
        17 => FileKind::Timerfd,
        19 => FileKind::BpfMap,
        20 => FileKind::Pidfd,
        _ => FileKind::Unknown,
    }
}
