//! Reads the headers of a whole archive, and the page maps in it, and passes over all other contents.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use crate::Error;
use crate::content::{Content, number};
use crate::criu::{PageCounts, PageMapName};
use crate::stream::{read_all, read_pieces};
use crate::tar::{Member, Next, padding};

/// Bytes that are compared at once.
const CHUNK: u64 = 64 << 10;

/// The position of a member's contents in the archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) at: u64,
    pub(crate) size: u64,
}

/// A caller's look at a member and its contents. The contents of page maps and pages are not handed over.
pub(crate) type Look<'a> = dyn FnMut(&Member, Extent, &mut dyn BufRead) -> Result<(), Error> + 'a;

/// An archive that is being read from its beginning.
pub(crate) struct ArchiveWalk<R> {
    reader: BufReader<R>,
    length: u64,
    page_counts: PageCounts,
}

impl<R: Read + Seek> ArchiveWalk<R> {
    /// Goes to the beginning of `archive`.
    pub(crate) fn new(archive: R) -> Result<Self, Error> {
        let mut reader = BufReader::new(archive);
        let length = reader.seek(SeekFrom::End(0)).map_err(Error::Reading)?;
        reader.rewind().map_err(Error::Reading)?;
        Ok(Self {
            reader,
            length,
            page_counts: PageCounts::default(),
        })
    }

    /// The next member. Its contents have been passed over, and are all there.
    pub(crate) fn next_member(&mut self) -> Result<Next, Error> {
        self.next_member_with(&mut |_, _, _| Ok(()))
    }

    /// As [`Self::next_member`], after `look` has looked at it.
    pub(crate) fn next_member_with(&mut self, look: &mut Look<'_>) -> Result<Next, Error> {
        let next = Member::next(&mut self.reader)?;
        if let Next::Member(member) = &next {
            self.pass_over(member, look)?;
        }
        Ok(next)
    }

    /// Refuses anything but zeros behind the archive's end: some readers look for more there.
    pub(crate) fn ensure_nothing_follows(&mut self) -> Result<(), Error> {
        read_pieces(&mut self.reader, |bytes| {
            if bytes.iter().all(|byte| *byte == 0) {
                Ok(())
            } else {
                Err(Error::BadTar("something follows the end"))
            }
        })
    }

    /// The memory of the members so far, and what their page maps say of it.
    pub(crate) fn page_counts(&self) -> &PageCounts {
        &self.page_counts
    }

    /// Whether two members of equal size have the same contents.
    pub(crate) fn have_same_contents(&mut self, one: Extent, other: Extent) -> Result<bool, Error> {
        let mut at = 0;
        while at < one.size {
            if self.piece(one, at)? != self.piece(other, at)? {
                return Ok(false);
            }
            at += CHUNK;
        }
        Ok(one.size == other.size)
    }

    fn piece(&mut self, extent: Extent, at: u64) -> Result<Vec<u8>, Error> {
        let length = extent.size.saturating_sub(at).min(CHUNK);
        let start = SeekFrom::Start(extent.at.saturating_add(at));
        self.reader.seek(start).map_err(Error::Reading)?;
        read_all(&mut self.reader.by_ref().take(length))
    }

    fn pass_over(&mut self, member: &Member, look: &mut Look<'_>) -> Result<(), Error> {
        let at = self.reader.stream_position().map_err(Error::Reading)?;
        let extent = Extent {
            at,
            size: member.size,
        };
        let mut contents = self.reader.by_ref().take(member.size);
        if let Some(name) = page_map(&member.name) {
            look(member, extent, &mut std::io::empty())?;
            self.page_counts.add_map(name, &mut contents)?;
        } else if let Content::Pages(id) = Content::of(&member.name) {
            look(member, extent, &mut std::io::empty())?;
            self.page_counts.add_pages(id, member.size);
        } else {
            look(member, extent, &mut contents)?;
        }
        let left = contents.limit();
        self.skip(left)?;
        self.skip(padding(member.size) as u64)?;
        if self.reader.stream_position().map_err(Error::Reading)? > self.length {
            return Err(Error::Truncated);
        }
        Ok(())
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Error> {
        let bytes = i64::try_from(bytes).map_err(|_| Error::Truncated)?;
        self.reader.seek_relative(bytes).map_err(Error::Reading)
    }
}

/// The page map with this name: a process's, or one of memory that processes share.
fn page_map(name: &[u8]) -> Option<PageMapName> {
    if let Content::PageMap(pid) = Content::of(name) {
        return Some(PageMapName::Process(pid));
    }
    let id = name.strip_prefix(b"checkpoint/pagemap-shmem-")?;
    number(id.strip_suffix(b".img")?).map(PageMapName::Shared)
}
