//! The archive's own members that are left out, under all of their names.

use std::collections::BTreeMap;

use super::links::Links;
use crate::Error;
use crate::tar::{Kind, Member, for_error};

/// The most members that are kept in mind.
const MAX_DROPPED: usize = 1 << 16;

/// The members so far that were left out. Members come once and in order, so what stands under another name before its turn
/// cannot be taken back: such an archive is refused.
#[derive(Debug, Default)]
pub(super) struct DroppedMembers {
    links: Links,
    /// Resolved names, with the rule that each is left out by.
    names: BTreeMap<Vec<u8>, usize>,
}

impl DroppedMembers {
    /// The rule that leaves out `member`, if any. `rule` is the plan's for a name.
    pub(super) fn add(
        &mut self,
        member: &Member,
        rule: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<Option<usize>, Error> {
        let is_symlink = member.kind_byte() == b'2';
        if is_symlink {
            self.links.add(member)?;
        }
        let name = self.links.resolve(&member.raw_name, false);
        let named = rule(&member.name).or_else(|| rule(&name));
        let target = self.links.resolve(&member.raw_link, true);
        let has_contents = match member.kind() {
            Kind::HardLink => self.rule_of(&target, &rule),
            _ => None,
        };
        if named.is_some()
            && has_contents.is_none()
            && (is_symlink || member.kind() == Kind::HardLink)
        {
            return Err(Error::Opaque {
                member: for_error(&member.name),
                reason: "it is to be left out, and is a link: its contents stand under another name",
            });
        }
        let dropped = named.or(has_contents);
        if let Some(rule) = dropped {
            self.names.insert(name, rule);
            if self.names.len() > MAX_DROPPED {
                return Err(Error::BadTar("too many members are to be left out"));
            }
        }
        Ok(dropped)
    }

    fn rule_of(&self, name: &[u8], rule: &impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        rule(name).or_else(|| self.names.get(name).copied())
    }
}
