//! CRIU's images of memory: address spaces, page maps and pages.

use std::io::BufRead;

use gateway_core::Place;

use super::{Pass, opaque};
use crate::Error;
use crate::criu::{Entries, MAX_ADDRESS_SPACE, MAX_PAGE_MAP_ENTRY};
use crate::mask::environment::{EnvironmentMasker, Variables};
use crate::mask::layout::Layout;
use crate::mask::maskers::Maskers;
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_pieces};
use crate::tar::Member;

impl Pass<'_> {
    /// `mm-PID.img`.
    pub(super) fn address_space(
        &mut self,
        member: &Member,
        process: u64,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        let mut entries = Entries::new(MAX_ADDRESS_SPACE);
        self.image(member, body, out, |layout, piece| {
            entries.push(piece, |entry| layout.add_memory(process, entry));
            Ok(entries.is_whole())
        })
    }

    /// `pagemap-PID.img`, and without a process `pagemap-shmem-ID.img`.
    pub(super) fn page_map(
        &mut self,
        member: &Member,
        process: Option<u64>,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        let mut entries = Entries::new(MAX_PAGE_MAP_ENTRY);
        let mut map = self.layout.begin_map(process);
        self.image(member, body, out, |layout, piece| {
            let mut failed = None;
            entries.push(piece, |entry| {
                let read = layout.add_run(&mut map, entry);
                read.unwrap_or_else(|error| {
                    failed = Some(error);
                    false
                })
            });
            failed.map_or_else(|| Ok(entries.is_whole()), Err)
        })
    }

    /// `pages-ID.img`.
    pub(super) fn pages(
        &mut self,
        member: &Member,
        id: u64,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        if let Some(packed) = self.layout.packed(id) {
            return self.packed_pages(member, id, &packed, body, out);
        }
        self.write_front(member, out)?;
        let segments = self.layout.begin_pages(id, member.size)?;
        let mut environments = EnvironmentMasker::new(segments);
        let mut maskers = Maskers::new(self.rules, &[Place::Memory]);
        let mut variables = Variables {
            rules: self.rules,
            known: self.known,
            found: self.found,
        };
        let mut masked = Vec::new();
        read_pieces(body, |piece| {
            if !environments.is_within(piece.len()) {
                environments.skip(piece.len());
                return maskers.push(piece, out);
            }
            masked.clear();
            masked.extend_from_slice(piece);
            environments.mask(&mut masked, &mut variables)?;
            maskers.push(&masked, out)
        })?;
        environments.finish(&mut variables)?;
        maskers.finish(self.found, out)
    }

    /// An image that says where environments lie. `read` returns whether all up to there could be read.
    fn image(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
        mut read: impl FnMut(&mut Layout, &[u8]) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        self.write_front(member, out)?;
        let mut maskers = Maskers::new(self.rules, &[Place::Memory]);
        let (mut readable, mut missing) = (false, member.size);
        read_pieces(body, |piece| {
            missing = missing.saturating_sub(piece.len() as u64);
            readable = read(self.layout, piece)?;
            maskers.push(piece, out)
        })?;
        maskers.finish(self.found, out)?;
        ensure_complete(missing)?;
        if readable || !self.hides_environments() {
            return Ok(());
        }
        Err(opaque(
            member,
            "it should say where environments lie, and is not a CRIU image",
        ))
    }

    /// Whether the plan hides environment variables in memory.
    fn hides_environments(&self) -> bool {
        self.plan
            .mask
            .iter()
            .any(|rule| rule.pattern.selects_variables() && rule.places.contains(&Place::Memory))
    }
}
