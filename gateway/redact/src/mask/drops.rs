//! Members and entries that a plan leaves out of an archive.

use gateway_core::Plan;

use crate::Error;
use crate::content::ROOTFS_DIFF;
use crate::tar::normalize;

/// Members that every restore needs: `checkpoint/` is CRIU's, the others are the runtimes'.
const NEEDED: [&[u8]; 7] = [
    b"checkpoint",
    b"spec.dump",
    b"config.dump",
    b"status.dump",
    b"status",
    b"bind.mounts",
    b"deleted.files",
];

/// The plan's drop rules, with the number of entries that each has left out so far.
#[derive(Debug)]
pub(super) struct DropList {
    rules: Vec<Dropped>,
}

#[derive(Debug)]
struct Dropped {
    member: Vec<u8>,
    /// An entry of the archive that the member is; `None` for the member itself.
    inner: Option<Vec<u8>>,
    entries: u64,
}

impl DropList {
    /// Checks that every drop rule of `plan` may be carried out.
    pub(super) fn new(plan: &Plan) -> Result<Self, Error> {
        let rules = plan.drop.iter().map(|rule| {
            Dropped::parse(&rule.entry).map_err(|reason| Error::CannotDrop {
                rule: rule.name.clone(),
                entry: rule.entry.clone(),
                reason,
            })
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// Whether some entry of the archive `member` is left out.
    pub(super) fn reaches_into(&self, member: &[u8]) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.inner.is_some() && rule.member == member)
    }

    /// Whether some member is left out.
    pub(super) fn drops_members(&self) -> bool {
        self.rules.iter().any(|rule| rule.inner.is_none())
    }

    /// The rule that leaves out the member `name`.
    pub(super) fn member_rule(&self, name: &[u8]) -> Option<usize> {
        let mut rules = self.rules.iter();
        rules.position(|rule| rule.inner.is_none() && rule.member == name)
    }

    /// The entries of `member` that are left out, each with its rule.
    pub(super) fn entries_of<'a>(
        &'a self,
        member: &'a [u8],
    ) -> impl Iterator<Item = (usize, &'a [u8])> {
        let rules = self.rules.iter().enumerate();
        let here = rules.filter(move |(_, rule)| rule.member == member);
        here.filter_map(|(index, rule)| Some((index, rule.inner.as_deref()?)))
    }

    /// Whether `name` is `directory` or in it.
    pub(super) fn is_within(directory: &[u8], name: &[u8]) -> bool {
        name.strip_prefix(directory)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }

    /// Counts an entry that a rule left out.
    pub(super) fn add_entry(&mut self, rule: usize) {
        if let Some(rule) = self.rules.get_mut(rule) {
            rule.entries += 1;
        }
    }

    /// The number of entries that each rule left out, in the plan's order.
    pub(super) fn counts(&self) -> Vec<u64> {
        self.rules.iter().map(|rule| rule.entries).collect()
    }

    /// Sets the counts back to what [`DropList::counts`] returned.
    pub(super) fn restore_counts(&mut self, counts: &[u64]) {
        self.rules
            .iter_mut()
            .zip(counts)
            .for_each(|(rule, count)| rule.entries = *count);
    }
}

impl Dropped {
    /// Reads `MEMBER` or `MEMBER:ENTRY`; the error is the reason why it must stay.
    fn parse(entry: &str) -> Result<Self, &'static str> {
        let (member, inner) = match entry.split_once(':') {
            Some((member, inner)) => (member, Some(normalize(inner.as_bytes()))),
            None => (entry, None),
        };
        if entry.split(['/', ':']).any(|part| part == "..") {
            return Err("its name goes through `..`");
        }
        let member = normalize(member.as_bytes());
        let first = member.split(|byte| *byte == b'/').next();
        match &inner {
            _ if member.is_empty() => Err("it has no name"),
            _ if NEEDED.contains(&first.unwrap_or_default()) => Err("a restore needs it"),
            Some(inner) if inner.is_empty() => Err("it has no name"),
            Some(_) if member != ROOTFS_DIFF => Err("only `rootfs-diff.tar` has entries"),
            _ => Ok(Self {
                member,
                inner,
                entries: 0,
            }),
        }
    }
}
