//! Names of files, mounts and sockets: masked alike wherever they stand, or kept.

use std::collections::BTreeSet;

use gateway_core::{FindingCode, Place};

use super::maskers::mask;
use super::settings::PathMode;
use crate::finding_list::FindingList;
use crate::search::{Rules, Tally};

/// The places whose rules search a path, wherever it stands: the same path must be masked in the same way.
const PLACES: &[Place] = &[Place::Memory, Place::Files];
/// The most findings.
const MAX_FINDINGS: usize = 200;

/// What is done with paths, and what the archive's receiver must know of them.
#[derive(Debug)]
pub(super) struct Paths {
    mode: PathMode,
    findings: BTreeSet<(FindingCode, String)>,
}

/// The use of a path in a restored container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathUse {
    /// Something is open, mapped or mounted there.
    Needed,
    /// It names a file in the archive, or is a word of a document.
    Named,
}

impl Paths {
    pub(super) fn new(mode: PathMode) -> Self {
        Self {
            mode,
            findings: BTreeSet::new(),
        }
    }

    /// Masks `path`, which stands in `member`, or notes that it is kept.
    pub(super) fn mask(
        &mut self,
        rules: &Rules,
        (member, path_use): (&str, PathUse),
        path: &mut [u8],
        found: &mut Tally,
    ) {
        let here = self.edit(member, path_use, path, |path| {
            let mut here = Tally::default();
            mask(rules, PLACES, path, &mut here);
            here.sightings.set_member(member);
            here
        });
        if let Some(here) = here {
            found.merge(&here);
        }
    }

    /// Masks a header of a tar archive, for what reaches over several of its fields.
    pub(super) fn mask_header(&self, rules: &Rules, header: &mut [u8], found: &mut Tally) {
        let (before, mut here) = (header.to_vec(), Tally::default());
        mask(rules, PLACES, header, &mut here);
        if self.mode == PathMode::Keep {
            restore_names(header, &before);
        }
        if before != header {
            found.merge(&here);
        }
    }

    /// Has `edit` mask `path`, or notes that it would. Returns the count of what was masked.
    pub(super) fn edit(
        &mut self,
        member: &str,
        path_use: PathUse,
        path: &mut [u8],
        edit: impl FnOnce(&mut [u8]) -> Tally,
    ) -> Option<Tally> {
        let mut edited = path.to_vec();
        let here = edit(&mut edited);
        if edited == path {
            return None;
        }
        match (self.mode, path_use) {
            (PathMode::Keep, _) => {
                self.note(FindingCode::SecretInPath, member);
                return None;
            }
            (PathMode::Mask, PathUse::Needed) => self.note(FindingCode::WillNotRestore, member),
            (PathMode::Mask, PathUse::Named) => {}
        }
        path.copy_from_slice(&edited);
        Some(here)
    }

    fn note(&mut self, code: FindingCode, member: &str) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.insert((code, member.to_owned()));
        }
    }

    /// One finding for each member and kind.
    pub(super) fn report(self, list: &mut FindingList) {
        for (code, place) in self.findings {
            let message = match code {
                FindingCode::SecretInPath => format!(
                    "a path in `{place}` has a secret in it, which stays there, as the setting `redaction.paths` says"
                ),
                _ => format!(
                    "`{place}` names something that is open, mapped or mounted, and its name was masked: the container restores only where that is among the archive's own files"
                ),
            };
            list.note(code, &place, &message);
        }
    }
}

/// Puts back the name in a header, the target of a link, and the beginning of a long name.
fn restore_names(header: &mut [u8], before: &[u8]) {
    for field in [0..100, 157..257, 345..500] {
        let fields = header.get_mut(field.clone()).zip(before.get(field));
        if let Some((now, before)) = fields {
            now.copy_from_slice(before);
        }
    }
}
