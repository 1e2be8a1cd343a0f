//! CRIU's images of protobuf messages: processor state, files, timers, signals.

use std::io::BufRead;

use gateway_core::Place;

use super::{Pass, opaque};
use crate::Error;
use crate::criu::Source;
use crate::mask::maskers::mask;
use crate::mask::numbers::{NumberMasker, Refused};
use crate::mask::open_files::OpenFiles;
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_all};
use crate::tar::{Member, for_error};

/// The largest image that is searched as numbers, in bytes.
const MAX_IMAGE: u64 = 16 << 20;

impl Pass<'_> {
    /// Masks an image as bytes, then its numbers.
    pub(super) fn numbers(
        &mut self,
        member: &Member,
        source: Source,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        self.write_front(member, out)?;
        let lists_files = OpenFiles::are_listed_in(&member.name);
        if !self.rules.searches(Place::Memory) && !lists_files {
            return self.bytes(&[Place::Memory], body, out);
        }
        if member.size > MAX_IMAGE {
            return Err(opaque(member, "it is too large for an image of this kind"));
        }
        let original = read_all(body)?;
        ensure_complete(member.size.saturating_sub(original.len() as u64))?;
        if lists_files {
            self.open.add(&member.name, &original);
            if !self.rules.searches(Place::Memory) {
                return out.put(&original);
            }
        }
        let mut image = original.clone();
        mask(self.rules, &[Place::Memory], &mut image, self.found);
        let masker = NumberMasker {
            rules: self.rules,
            source,
        };
        masker
            .mask(&original, &mut image, self.found)
            .map_err(|refused| match refused {
                Refused::Unreadable => opaque(member, "its numbers cannot be read"),
                Refused::Kept => opaque(
                    member,
                    "a number that the restore needs holds a piece of a secret",
                ),
                Refused::Broken => Error::BrokeArchive(format!(
                    "`{}` does not read as before",
                    for_error(&member.name)
                )),
            })?;
        out.put(&image)
    }
}
