//! Zip archives that break off before their index: searched as far as they go.

use std::io::{self, BufReader, Read};
use std::rc::Rc;

use super::metered::Metered;
use super::zip_member::{DEFLATED, STORED};
use super::{BUFFER, Nested, Reason, Seen, Stop, reader};
use crate::Error;
use crate::mask::spool::Stored;
use crate::sink::Discard;
use crate::stream::read_pieces;
use crate::unpack::zip::{DESCRIPTOR, ENCRYPTED, LOCAL, LOCAL_LENGTH, LocalHeader};
use crate::unpack::{Inflate, Source};

impl Nested<'_> {
    /// Goes from local header to local header. Nothing can be hidden in such an archive: it has no index to write anew.
    pub(super) fn scan_broken_zip(
        &mut self,
        stored: &mut Stored,
        depth: usize,
    ) -> Result<Seen, Stop> {
        let mut input = reader(stored)?;
        let mut source = Source::new(&mut input);
        let mut seen = Seen::NOTHING;
        while source.peek(LOCAL.len()).map_err(Error::reading)? == LOCAL {
            if !self.budget.take_zip_member() {
                return Err(Reason::TooLarge.into());
            }
            if source.peek(LOCAL_LENGTH).map_err(Error::reading)?.len() < LOCAL_LENGTH {
                break;
            }
            let header = LocalHeader::read(&mut source).map_err(Error::reading)?;
            if header.flags & ENCRYPTED != 0 {
                return Err(Reason::Encrypted.into());
            }
            for length in [header.name_length, header.extra_length] {
                let mut text = Vec::new();
                let mut limited = (&mut source).take(length);
                limited.read_to_end(&mut text).map_err(Error::reading)?;
                seen.changed |= self.mask_text(&mut text);
            }
            let has_descriptor = header.flags & DESCRIPTOR != 0;
            match header.method {
                DEFLATED => seen = seen.and(self.scan_deflated(&mut source, depth)?),
                STORED if !has_descriptor => {
                    let mut contents = BufReader::new((&mut source).take(header.packed));
                    seen = seen.and(self.inside(&mut contents, depth, None)?);
                    read_pieces(&mut contents, |_| Ok(()))?;
                }
                STORED => break,
                _ => return Err(Reason::Unknown.into()),
            }
            if has_descriptor {
                let signed = source.peek(4).map_err(Error::reading)? == b"PK\x07\x08";
                let length = if signed { 16 } else { 12 };
                let mut descriptor = (&mut source).take(length);
                io::copy(&mut descriptor, &mut io::sink()).map_err(Error::reading)?;
            }
        }
        // Whatever the rest is, its bytes are searched.
        seen = seen.and(self.plain(&mut source, &mut Discard)?);
        if seen.changed {
            return Err(Reason::NotWritable.into());
        }
        Ok(Seen {
            whole: false,
            ..seen
        })
    }

    fn scan_deflated(&mut self, source: &mut Source<'_>, depth: usize) -> Result<Seen, Stop> {
        let progress = source.progress();
        let inflate = Inflate::new();
        let deflated = Deflated { inflate, source };
        let metered = Metered::new(deflated, Rc::clone(&progress), self.budget, self.limit);
        let mut unpacked = BufReader::with_capacity(BUFFER, metered);
        let searched = self.inside(&mut unpacked, depth, None);
        let rest = read_pieces(&mut unpacked, |_| Ok(()));
        let end = unpacked.get_mut().finish()?;
        rest?;
        Ok(searched?.and(end))
    }
}

struct Deflated<'s, 'a> {
    inflate: Inflate,
    source: &'s mut Source<'a>,
}

impl Read for Deflated<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inflate.read(self.source, buffer)
    }
}
