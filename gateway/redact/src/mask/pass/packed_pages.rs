//! Compressed memory pages: unpacked and searched, and refused if something in them is to be hidden.

use std::io::{BufRead, BufReader, Read};

use gateway_core::Place;

use super::Pass;
use crate::Error;
use crate::criu::PAGE_SIZES;
use crate::mask::environment::{EnvironmentMasker, Variables};
use crate::mask::maskers::Maskers;
use crate::mask::packed_pages::{PackedPages, Part, packed_pages_error};
use crate::search::{Rules, Tally};
use crate::sink::{Discard, Sink};
use crate::stream::{read_exact, read_pieces};
use crate::tar::Member;
use crate::unpack::{Source, unpack_block};

/// The longest compressed page, in bytes: LZ4 makes a page of 64 KiB at most so long.
const MAX_BLOCK: usize = (64 << 10) + 1024;

const TOO_MUCH: &str = "its pages are compressed, and unpack to more than is allowed";
const NOT_LZ4: &str = "its pages are compressed, and cannot be unpacked";
const HIT: &str = "its pages are compressed, and something in them is to be hidden";

/// The search of unpacked pages.
struct Search<'r> {
    rules: &'r Rules,
    maskers: Maskers<'r>,
    environments: EnvironmentMasker,
    /// Whether a variable was masked.
    is_masked: bool,
}

impl Pass<'_> {
    /// `pages-ID.img` with compressed pages. It is written as it came, or the archive is refused: no CRIU has restored pages
    /// that were packed again.
    pub(super) fn packed_pages(
        &mut self,
        member: &Member,
        id: u64,
        packed: &PackedPages,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        let error = |reason| packed_pages_error(id, reason);
        let mut body = Source::new(body);
        let page_size = self
            .packed_page_size(packed, &mut body)?
            .ok_or(error(NOT_LZ4))?;
        let segments = self.layout.begin_packed(id, page_size as u64)?;
        self.write_front(member, out)?;
        let mut found = Tally::default();
        let mut variables = Variables {
            rules: self.rules,
            known: self.known,
            found: &mut found,
        };
        let mut search = Search {
            rules: self.rules,
            maskers: Maskers::new(self.rules, &[Place::Memory]),
            environments: EnvironmentMasker::new(segments),
            is_masked: false,
        };
        let (mut block, mut page) = (Vec::new(), vec![0; page_size]);
        for (part, lengths) in packed.parts() {
            if let Part::Plain(pages) = part {
                let length = pages.saturating_mul(page_size as u64);
                let mut plain = BufReader::new((&mut body).take(length));
                read_pieces(&mut plain, |piece| {
                    out.put(piece)?;
                    search.push(piece, &mut variables)
                })?;
            }
            for length in lengths {
                if !self.budget.take_bytes(page_size as u64) {
                    return Err(error(TOO_MUCH));
                }
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                if length > MAX_BLOCK {
                    return Err(error(NOT_LZ4));
                }
                block.resize(length, 0);
                read_exact(&mut body, &mut block)?;
                out.put(&block)?;
                let is_read = search.page(&block, &mut page, &mut variables)?;
                if !is_read {
                    return Err(error(NOT_LZ4));
                }
            }
        }
        // Nothing that no map lists passes unread.
        search.beside(&mut body, out, &mut variables)?;
        let is_masked = search.finish(&mut variables)?;
        if self.settings.looks_only {
            self.found.merge(&found);
        } else if is_masked || found.iter().next().is_some() {
            return Err(error(HIT));
        }
        Ok(())
    }
}

impl Pass<'_> {
    /// The number of bytes that a page unpacks to: that of other images, or of the first page if it is compressed.
    fn packed_page_size(
        &self,
        packed: &PackedPages,
        body: &mut Source<'_>,
    ) -> Result<Option<usize>, Error> {
        let known = self.layout.page_size().unwrap_or(self.settings.page_size);
        let known = usize::try_from(known).unwrap_or_default();
        let Some((Part::Packed(_), lengths)) = packed.parts().next() else {
            return Ok(Some(known));
        };
        let Some(length) = lengths.iter().find(|length| **length > 0) else {
            return Ok(Some(known));
        };
        let length = usize::try_from(*length).unwrap_or(usize::MAX);
        if length > MAX_BLOCK {
            return Ok(None);
        }
        let mut page = vec![0; MAX_BLOCK];
        let made = unpack_block(body.peek(length).map_err(Error::reading)?, &mut page);
        Ok(match made {
            Some(made) if made.is_power_of_two() && PAGE_SIZES.contains(&(made as u64)) => {
                Some(made)
            }
            // It may stand as it was.
            _ if length == known => Some(known),
            _ => None,
        })
    }
}

impl Search<'_> {
    /// Searches one compressed page, which is unpacked into `page`; `false` if it is not LZ4.
    fn page(
        &mut self,
        block: &[u8],
        page: &mut [u8],
        variables: &mut Variables<'_>,
    ) -> Result<bool, Error> {
        if block.is_empty() {
            page.fill(0);
        } else if block.len() == page.len() {
            // Incompressible pages may stand as they were.
            if unpack_block(block, page) == Some(page.len()) {
                self.beside(&mut &*block, &mut Discard, variables)?;
            } else {
                page.copy_from_slice(block);
            }
        } else if unpack_block(block, page) != Some(page.len()) {
            return Ok(false);
        }
        self.push(page, variables).map(|()| true)
    }

    /// Searches bytes that are no pages, and writes them.
    fn beside(
        &mut self,
        bytes: &mut dyn BufRead,
        out: &mut dyn Sink,
        variables: &mut Variables<'_>,
    ) -> Result<(), Error> {
        let mut maskers = Maskers::new(self.rules, &[Place::Memory]);
        read_pieces(bytes, |piece| {
            out.put(piece)?;
            maskers.push(piece, &mut Discard)
        })?;
        maskers.finish(variables.found, &mut Discard)
    }

    fn push(&mut self, piece: &[u8], variables: &mut Variables<'_>) -> Result<(), Error> {
        if !self.environments.is_within(piece.len()) {
            self.environments.skip(piece.len());
            return self.maskers.push(piece, &mut Discard);
        }
        let mut masked = piece.to_vec();
        self.environments.mask(&mut masked, variables)?;
        self.is_masked |= masked != piece;
        self.maskers.push(&masked, &mut Discard)
    }

    /// Whether a variable was masked.
    fn finish(self, variables: &mut Variables<'_>) -> Result<bool, Error> {
        self.environments.finish(variables)?;
        self.maskers.finish(variables.found, &mut Discard)?;
        Ok(self.is_masked)
    }
}
