//! Compares the container's changed files.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;

use super::report::{Changes, FileChanges};
use crate::Error;
use crate::content::is_gzip;
use crate::inspect::{ArchiveIndex, TextBudget};
use crate::part::Part;
use crate::stream::{read_pieces, skip};
use crate::tar::{Member, Next, padding};

/// The most that is unpacked, in bytes.
const MAX_UNPACKED: u64 = 1 << 30;
/// The most entries, and the most bytes of their names.
const MAX_ENTRIES: usize = 100_000;
const MAX_NAMES: usize = 16 << 20;
/// Bytes of a name that is returned.
const MAX_NAME: usize = 1 << 10;
/// The most changed files that are listed.
const MAX_LISTED: usize = 1000;

/// The files of an archive, by name.
#[derive(Debug, Default)]
struct Files {
    entries: BTreeMap<Vec<u8>, Entry>,
    names: usize,
    whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    kind: u8,
    mode: u32,
    size: u64,
    /// Of the contents or the link's target, with keys of this process.
    digest: [u64; 2],
}

/// Hashes contents with two keys of this process, so that nobody can make files that seem equal.
struct Keys([RandomState; 2]);

/// Compares `rootfs-diff.tar` of both.
pub(super) fn compare(
    one: &mut ArchiveIndex<impl Read + Seek>,
    other: &mut ArchiveIndex<impl Read + Seek>,
    texts: &mut TextBudget,
) -> Result<FileChanges, Error> {
    let keys = Keys([RandomState::new(), RandomState::new()]);
    let (before, after) = (Files::read(one, &keys)?, Files::read(other, &keys)?);
    let mut named = |name: &Vec<u8>| texts.masked_line(name, MAX_NAME).unwrap_or_default();
    let mut only = |these: &Files, others: &Files| -> Vec<String> {
        let only = these.entries.keys();
        let only = only.filter(|name| !others.entries.contains_key(*name));
        only.map(&mut named).collect()
    };
    let presence = Changes::between(&only(&before, &after), &only(&after, &before));
    let changed = before.entries.iter().filter(|(name, entry)| {
        let other = after.entries.get(*name);
        other.is_some_and(|other| other != *entry)
    });
    let mut changed: Vec<_> = changed.map(|(name, _)| named(name)).collect();
    if changed.len() > MAX_LISTED {
        changed.truncate(MAX_LISTED);
        texts.note_omission();
    }
    Ok(FileChanges {
        presence,
        changed,
        whole: before.whole && after.whole,
    })
}

impl Files {
    fn read(index: &mut ArchiveIndex<impl Read + Seek>, keys: &Keys) -> Result<Self, Error> {
        let mut files = Self::default();
        let packed = index
            .bytes(Part::RootfsDiff, 0, 2)?
            .is_some_and(|start| is_gzip(&start));
        let Some(diff) = index.open(Part::RootfsDiff)? else {
            files.whole = true;
            return Ok(files);
        };
        let read = if packed {
            let unpacked = MultiGzDecoder::new(diff).take(MAX_UNPACKED);
            files.add_all(&mut BufReader::new(unpacked), keys)
        } else {
            files.add_all(&mut diff.take(MAX_UNPACKED), keys)
        };
        match read {
            Ok(whole) => files.whole = whole,
            Err(Error::Reading(error)) => return Err(Error::Reading(error)),
            Err(_) => {}
        }
        Ok(files)
    }

    /// Returns whether all entries were read.
    fn add_all(&mut self, tar: &mut dyn BufRead, keys: &Keys) -> Result<bool, Error> {
        // Some writers leave out the end.
        while let Next::Member(member) = Member::next(tar)? {
            self.names = self.names.saturating_add(member.name.len());
            if self.entries.len() == MAX_ENTRIES || self.names > MAX_NAMES {
                return Ok(false);
            }
            let mut hashers = keys.0.each_ref().map(BuildHasher::build_hasher);
            let mut add = |bytes: &[u8]| hashers.iter_mut().for_each(|hasher| hasher.write(bytes));
            add(&member.link);
            read_pieces(&mut tar.take(member.size), |bytes| {
                add(bytes);
                Ok(())
            })?;
            skip(tar, padding(member.size) as u64)?;
            let entry = Entry {
                kind: member.kind_byte(),
                mode: member.mode(),
                size: member.size,
                digest: hashers.map(|hasher| hasher.finish()),
            };
            self.entries.insert(member.name, entry);
        }
        Ok(true)
    }
}
