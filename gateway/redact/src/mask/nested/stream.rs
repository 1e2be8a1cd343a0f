//! Compressed streams: unpacked, and packed again.

use std::io::{BufRead, BufReader};

use super::metered::Metered;
use super::{BUFFER, Nested, Reason, Seen, Stop, reader};
use crate::mask::spool::{GzipWriter, Packing, SpoolWriter, Stored, zstd};
use crate::sink::Sink;
use crate::stream::read_pieces;
use crate::unpack::{Decoder, Format, Source};

/// Memory of a decoder, in bytes, its window aside.
const SMALL: u64 = 1 << 20;
/// The largest window of a stream, in bytes, and of one that stands in another.
const MAX_WINDOW: u64 = 16 << 20;
const NESTED_WINDOW: u64 = 8 << 20;

impl Nested<'_> {
    /// Unpacks `input` and searches the contents. With `out`, writes them there, masked and not packed. Returns the name that
    /// gzip's header has, too.
    pub(super) fn unpack(
        &mut self,
        format: Format,
        input: &mut dyn BufRead,
        depth: usize,
        out: Option<&mut dyn Sink>,
    ) -> Result<(Seen, Option<Vec<u8>>), Stop> {
        let budget = self.budget;
        let _memory = budget
            .memory(memory_of(format, depth))
            .ok_or(Reason::TooLarge)?;
        let source = Source::new(input);
        let progress = source.progress();
        let decoder = Decoder::new(format, source, window_at(depth), budget.parts())
            .ok_or(Reason::Unknown)?;
        let metered = Metered::new(decoder, progress, budget, self.limit);
        let mut unpacked = BufReader::with_capacity(BUFFER, metered);
        let searched = match (depth, &mut unpacked) {
            (0, unpacked) => self.tar(unpacked, 0, out),
            (depth, unpacked) => self.inside(unpacked, depth, out),
        };
        let rest = read_pieces(&mut unpacked, |_| Ok(()));
        let metered = unpacked.get_mut();
        // A fault of the stream explains what is wrong inside of it.
        let end = metered.finish()?;
        rest?;
        let mut seen = searched?.and(end);
        if let Some(texts) = metered.inner.texts() {
            seen.changed |= self.texts(texts);
        }
        Ok((seen, metered.inner.name().map(<[u8]>::to_vec)))
    }

    /// Writes `original` masked.
    pub(super) fn write_stream(
        &mut self,
        format: Format,
        original: &mut Stored,
        depth: usize,
        packing: Packing,
    ) -> Result<Stored, Stop> {
        if format == Format::Zstd {
            let mut plain = SpoolWriter::new(self.storage);
            self.unpack(format, &mut reader(original)?, depth, Some(&mut plain))?;
            return Ok(zstd(plain.finish()?, self.storage)?);
        }
        let mut out = GzipWriter::new(self.storage, packing);
        let mut input = reader(original)?;
        let (_, name) = self.unpack(format, &mut input, depth, Some(&mut out))?;
        let name = name.map(|mut name| {
            self.mask_text(&mut name);
            name
        });
        Ok(out.finish(name.as_deref())?)
    }
}

/// The largest window of a stream that stands `depth` levels deep, in bytes.
pub(super) fn window_at(depth: usize) -> u64 {
    if depth > 1 { NESTED_WINDOW } else { MAX_WINDOW }
}

/// The most memory that a decoder takes `depth` levels deep, in bytes.
pub(super) fn memory_of(format: Format, depth: usize) -> u64 {
    match format {
        Format::Gzip => 1 << 17,
        Format::Zstd | Format::Xz => window_at(depth) + SMALL,
        Format::Lz4 => 9 * SMALL,
        _ => 5 * SMALL,
    }
}
