//! Reads the headers of a whole archive, and the page maps in it, and passes over all other contents.

use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::Error;
use crate::content::Content;
use crate::criu::PageCounts;
use crate::stream::read_pieces;
use crate::tar::{Member, Next, padding};

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
        let next = Member::next(&mut self.reader)?;
        if let Next::Member(member) = &next {
            self.pass_over(member)?;
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

    fn pass_over(&mut self, member: &Member) -> Result<(), Error> {
        match Content::of(&member.name) {
            Content::PageMap(process) => {
                let contents = &mut self.reader.by_ref().take(member.size);
                self.page_counts.add_map(process, contents)?;
            }
            Content::Pages(id) => {
                self.page_counts.add_pages(id, member.size);
                self.skip(member.size)?;
            }
            _ => self.skip(member.size)?,
        }
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
