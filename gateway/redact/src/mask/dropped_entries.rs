//! The entries of an archive inside that are left out, under all of their names.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::drops::DropList;
use super::framing::{count_member, skip_contents};
use super::links::Links;
use crate::Error;
use crate::tar::{Kind, Member, Next};

/// The most bytes of the names of hard links.
const MAX_BYTES: usize = 16 << 20;

/// Known before the first entry is written: hard links may name an entry that is left out before its own name comes.
#[derive(Debug, Default)]
pub(super) struct DroppedEntries {
    links: Links,
    /// Rules, with the names that they leave out as links lead there.
    rules: Vec<(usize, Vec<u8>)>,
    /// Names of the same contents, with the rule that leaves them out.
    others: BTreeMap<Vec<u8>, usize>,
}

impl DroppedEntries {
    /// Reads the headers of the archive `member`.
    pub(super) fn read(
        drops: &DropList,
        member: &[u8],
        input: &mut dyn BufRead,
        mut members_left: u64,
    ) -> Result<Self, Error> {
        let mut entries = Self::default();
        let (mut hard, mut bytes) = (Vec::new(), 0usize);
        while let Next::Member(entry) = Member::next(input)? {
            count_member(&mut members_left)?;
            match (entry.kind(), entry.kind_byte()) {
                (_, b'2') => entries.links.add(&entry)?,
                (Kind::HardLink, _) => {
                    bytes = bytes.saturating_add(entry.raw_name.len() + entry.raw_link.len() + 96);
                    hard.push((entry.raw_name.clone(), entry.raw_link.clone()));
                }
                _ => {}
            }
            if bytes > MAX_BYTES {
                return Err(Error::BadTar(
                    "it has too many links to tell what is left out",
                ));
            }
            skip_contents(input, entry.size)?;
        }
        for (rule, name) in drops.entries_of(member) {
            let resolved = entries.links.resolve(name, true);
            entries.rules.push((rule, name.to_vec()));
            entries.rules.push((rule, resolved));
        }
        entries.add_hard_links(hard);
        Ok(entries)
    }

    /// The rule that leaves out `entry`, if any.
    pub(super) fn rule(&self, entry: &Member) -> Option<usize> {
        let resolved = self.links.resolve(&entry.raw_name, false);
        self.rule_of(&entry.name)
            .or_else(|| self.rule_of(&resolved))
    }

    fn rule_of(&self, name: &[u8]) -> Option<usize> {
        let mut rules = self.rules.iter();
        let rule = rules.find(|(_, path)| DropList::is_within(path, name));
        rule.map(|(rule, _)| *rule)
            .or_else(|| self.others.get(name).copied())
    }

    /// Leaves out every name of contents that have one name that is left out.
    fn add_hard_links(&mut self, links: Vec<(Vec<u8>, Vec<u8>)>) {
        let resolved: Vec<_> = links
            .into_iter()
            .map(|(name, target)| {
                (
                    self.links.resolve(&name, false),
                    self.links.resolve(&target, false),
                )
            })
            .collect();
        let mut neighbours: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
        for (name, target) in &resolved {
            neighbours.entry(name).or_default().push(target);
            neighbours.entry(target).or_default().push(name);
        }
        let seeds = neighbours.keys().copied();
        let mut open: Vec<_> = seeds
            .filter_map(|name| Some((name, self.rule_of(name)?)))
            .collect();
        while let Some((name, rule)) = open.pop() {
            if self.others.insert(name.to_vec(), rule).is_none() {
                let others = neighbours.get(name).into_iter().flatten();
                open.extend(others.map(|other| (*other, rule)));
            }
        }
    }
}
