//! Members that stand in an archive more than once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek};

use gateway_core::{FindingCode, Place};

use crate::Error;
use crate::content::Content;
use crate::finding_list::FindingList;
use crate::tar::{Member, for_error};
use crate::walk::{ArchiveWalk, Extent};

/// The most repeated members that are compared, and the most bytes of them.
const MAX_REPEATS: usize = 1000;
const MAX_COMPARED: u64 = 64 << 20;

/// The members so far, and those that came again. Names are kept as hashes, since there may be a million.
#[derive(Debug, Default)]
pub(super) struct RepeatSurvey {
    first: HashMap<u64, Seen>,
    repeats: Vec<Repeat>,
    /// The number of repeated members that are not compared.
    uncompared: u64,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    kind: u8,
    extent: Extent,
}

/// A member that came again.
#[derive(Debug)]
struct Repeat {
    name: String,
    /// Contents that must be compared; `None` where kinds or sizes differ.
    extents: Option<(Extent, Extent)>,
}

impl RepeatSurvey {
    pub(super) fn add(&mut self, member: &Member, extent: Extent) {
        let mut hasher = DefaultHasher::new();
        member.name.hash(&mut hasher);
        let seen = Seen {
            kind: member.kind_byte(),
            extent,
        };
        let Some(first) = self.first.insert(hasher.finish(), seen) else {
            return;
        };
        let folder = first.kind == b'5' && seen.kind == b'5';
        if folder {
            return;
        }
        if self.repeats.len() < MAX_REPEATS {
            let alike = first.kind == seen.kind && first.extent.size == extent.size;
            self.repeats.push(Repeat {
                name: for_error(&member.name),
                extents: alike.then_some((first.extent, extent)),
            });
        } else {
            self.uncompared += 1;
        }
    }

    /// Compares the members that came again, and lists them.
    pub(super) fn report(
        self,
        walk: &mut ArchiveWalk<impl Read + Seek>,
        list: &mut FindingList,
    ) -> Result<(), Error> {
        let mut left = MAX_COMPARED;
        for Repeat { name, extents } in self.repeats {
            let how = match extents {
                Some((first, _)) if first.size > left => How::Uncompared,
                Some((first, again)) => {
                    left -= first.size;
                    if walk.have_same_contents(first, again)? {
                        How::Same
                    } else {
                        How::Different
                    }
                }
                None => How::Different,
            };
            how.report(&name, list);
        }
        if self.uncompared > 0 {
            let message = format!(
                "{} more members stand in the archive twice, too many to be compared",
                self.uncompared
            );
            list.fatal(FindingCode::MemberTwice, "", &message);
        }
        Ok(())
    }
}

/// How two members with one name compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Same,
    Different,
    Uncompared,
}

impl How {
    fn report(self, name: &str, list: &mut FindingList) {
        let contents = match self {
            Self::Same => "with the same contents",
            Self::Different => "with different contents",
            Self::Uncompared => "and is too large to be compared",
        };
        let message = format!("`{name}` stands in the archive twice, {contents}");
        if self == Self::Same || is_log(name) {
            list.note(FindingCode::MemberTwice, name, &message);
        } else {
            list.fatal(FindingCode::MemberTwice, name, &message);
        }
    }
}

fn is_log(name: &str) -> bool {
    matches!(Content::of(name.as_bytes()), Content::Bytes(places) if *places == [Place::Logs])
}
