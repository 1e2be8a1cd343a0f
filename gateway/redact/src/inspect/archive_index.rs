//! The members of an archive, and access to those that inspection reads.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom, Take};

use gateway_core::{Dialect, Member as Listed, Sizes};

use super::text::TextBudget;
use crate::Error;
use crate::criu::Entries;
use crate::part::Part;
use crate::stream::{read_all, read_pieces};
use crate::tar::{Kind, Member, Next, padding};

/// The most members of an archive.
const MAX_MEMBERS: u64 = 100_000;
/// The most members that are listed.
const MAX_LISTED: usize = 10_000;
/// The most members that are listed as unreadable.
const MAX_UNREADABLE: usize = 100;
/// Bytes of a member's name.
const MAX_NAME: usize = 256;

/// The members of an archive, with the positions of those that inspection reads.
#[derive(Debug)]
pub(crate) struct ArchiveIndex<R> {
    reader: BufReader<R>,
    length: u64,
    parts: BTreeMap<Part, Extent>,
    members: Vec<Listed>,
    count: u64,
    crio: bool,
    containerd: bool,
    unreadable: Vec<String>,
}

/// The position of a member's contents in the archive.
#[derive(Debug, Clone, Copy)]
struct Extent {
    at: u64,
    size: u64,
}

impl<R: Read + Seek> ArchiveIndex<R> {
    /// Reads all headers.
    pub(crate) fn read(archive: R, texts: &mut TextBudget) -> Result<Self, Error> {
        let mut reader = BufReader::with_capacity(64 << 10, archive);
        let length = reader.seek(SeekFrom::End(0)).map_err(Error::Reading)?;
        reader.rewind().map_err(Error::Reading)?;
        let mut index = Self {
            reader,
            length,
            parts: BTreeMap::new(),
            members: Vec::new(),
            count: 0,
            crio: false,
            containerd: false,
            unreadable: Vec::new(),
        };
        loop {
            match Member::next(&mut index.reader)? {
                Next::Member(member) => index.member(&member, texts)?,
                Next::End => return Ok(index),
                Next::NoEnd => return Err(Error::Truncated),
            }
        }
    }

    /// The runtime that wrote the archive, if its members show that.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        match (self.containerd, self.crio) {
            (true, false) => Some(Dialect::Containerd),
            (false, true) => Some(Dialect::CriO),
            _ => None,
        }
    }

    pub(super) fn sizes(&self) -> Sizes {
        let pages = self
            .parts
            .iter()
            .filter(|(part, _)| matches!(part, Part::Pages(_)));
        Sizes {
            archive: self.length,
            memory: pages.fold(0, |sum, (_, extent)| sum.saturating_add(extent.size)),
            rootfs_diff: self.size(Part::RootfsDiff),
            rootfs_files: None,
        }
    }

    pub(crate) fn size(&self, part: Part) -> Option<u64> {
        self.parts.get(&part).map(|extent| extent.size)
    }

    /// The contents of `part`, if there is one.
    pub(crate) fn open(&mut self, part: Part) -> Result<Option<Take<&mut BufReader<R>>>, Error> {
        self.open_at(part, 0, u64::MAX)
    }

    /// `length` bytes of `part` from `offset` on, or as many as there are.
    pub(crate) fn bytes(
        &mut self,
        part: Part,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(mut contents) = self.open_at(part, offset, length)? else {
            return Ok(None);
        };
        read_all(&mut contents).map(Some)
    }

    /// Hands each entry of the image `part` to `take`, which returns whether it could read it. Notes a member that is not an
    /// image.
    pub(crate) fn entries(
        &mut self,
        part: Part,
        largest: usize,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), Error> {
        let Some(mut contents) = self.open(part)? else {
            return Ok(());
        };
        let mut entries = Entries::new(largest);
        read_pieces(&mut contents, |piece| {
            entries.push(piece, &mut take);
            Ok(())
        })?;
        if !entries.is_whole() {
            self.note_unreadable(part);
        }
        Ok(())
    }

    /// Lists `part` as unreadable: it is not what its name says.
    pub(super) fn note_unreadable(&mut self, part: Part) {
        let name = part.to_string();
        if self.unreadable.len() < MAX_UNREADABLE && !self.unreadable.contains(&name) {
            self.unreadable.push(name);
        }
    }

    /// The members, how many there are, and those that could not be read.
    pub(super) fn into_lists(self, texts: &mut TextBudget) -> (Vec<Listed>, u64, Vec<String>) {
        if self.unreadable.len() == MAX_UNREADABLE {
            texts.note_omission();
        }
        (self.members, self.count, self.unreadable)
    }

    fn open_at(
        &mut self,
        part: Part,
        offset: u64,
        length: u64,
    ) -> Result<Option<Take<&mut BufReader<R>>>, Error> {
        let Some(extent) = self.parts.get(&part) else {
            return Ok(None);
        };
        let offset = offset.min(extent.size);
        self.reader
            .seek(SeekFrom::Start(extent.at + offset))
            .map_err(Error::Reading)?;
        Ok(Some(
            self.reader.by_ref().take(length.min(extent.size - offset)),
        ))
    }

    fn member(&mut self, member: &Member, texts: &mut TextBudget) -> Result<(), Error> {
        self.count += 1;
        if self.count > MAX_MEMBERS {
            return Err(Error::BadTar("it has too many members"));
        }
        let at = self.reader.stream_position().map_err(Error::Reading)?;
        let end = at
            .saturating_add(member.size)
            .saturating_add(padding(member.size) as u64);
        if end > self.length {
            return Err(Error::Truncated);
        }
        self.note(member, at, texts);
        let ahead = i64::try_from(end - at).map_err(|_| Error::Truncated)?;
        self.reader.seek_relative(ahead).map_err(Error::Reading)
    }

    fn note(&mut self, member: &Member, at: u64, texts: &mut TextBudget) {
        match member.name.as_slice() {
            b"status" | b"status.dump" | b"container.log" => self.containerd = true,
            b"bind.mounts" | b"io.kubernetes.cri-o.LogPath" => self.crio = true,
            _ => {}
        }
        // Of two members with one name, unpacking leaves the later one.
        if let Some(part) = Part::of(&member.name) {
            if member.kind() == Kind::File && !member.is_sparse() {
                self.parts.insert(
                    part,
                    Extent {
                        at,
                        size: member.size,
                    },
                );
            } else {
                self.parts.remove(&part);
                self.note_unreadable(part);
            }
        }
        if self.members.len() == MAX_LISTED {
            return texts.note_omission();
        }
        if let Some(name) = texts.line(&member.name, MAX_NAME) {
            self.members.push(Listed {
                name,
                bytes: member.size,
            });
        }
    }
}
