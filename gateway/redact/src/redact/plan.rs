use gateway_core::{Pattern, Place, Plan};

use super::name::normalise;
use super::settings::RedactionSettings;
use crate::Error;
use crate::search::Rules;

/// The container's changed files.
pub(super) const DIFF: &[u8] = b"rootfs-diff.tar";

/// Without these nothing can be restored: `checkpoint/` is CRIU's, the others are the runtimes'.
const NEEDED: [&[u8]; 7] = [
    b"checkpoint",
    b"spec.dump",
    b"config.dump",
    b"status.dump",
    b"status",
    b"bind.mounts",
    b"deleted.files",
];

/// Whether `plan` can be carried out at all; to be asked before the runtime is touched.
///
/// # Errors
/// [`Error::BadRule`] or [`Error::CannotDrop`] name the first rule that cannot, [`Error::BadMask`] tells of the settings.
pub fn check_plan(plan: &Plan, settings: &RedactionSettings) -> Result<(), Error> {
    if !settings.mask.is_ascii_graphic() || matches!(settings.mask, b'"' | b'\\') {
        return Err(Error::BadMask);
    }
    Drops::new(plan)?;
    Rules::compile(plan, &[], &settings.search())?;
    Ok(())
}

/// What is left out of an archive, and how much of it there was.
#[derive(Debug)]
pub(super) struct Drops {
    drops: Vec<Drop>,
}

#[derive(Debug)]
struct Drop {
    member: Vec<u8>,
    /// An entry of the archive that the member is.
    inner: Option<Vec<u8>>,
    entries: u64,
}

impl Drops {
    pub(super) fn new(plan: &Plan) -> Result<Self, Error> {
        let drops = plan.drop.iter().map(|rule| {
            Drop::parse(&rule.entry).map_err(|reason| Error::CannotDrop {
                rule: rule.name.clone(),
                entry: rule.entry.clone(),
                reason,
            })
        });
        Ok(Self {
            drops: drops.collect::<Result<_, _>>()?,
        })
    }

    /// Whether something in `member` is left out.
    pub(super) fn reach_into(&self, member: &[u8]) -> bool {
        self.drops
            .iter()
            .any(|drop| drop.inner.is_some() && drop.member == member)
    }

    /// Whether the member `name` is left out; counts it.
    pub(super) fn take_member(&mut self, name: &[u8]) -> bool {
        self.take(|drop| drop.inner.is_none() && drop.member == name)
    }

    /// Whether the entry `name` of `member` is left out, or a directory that it is in; counts it.
    pub(super) fn take_entry(&mut self, member: &[u8], name: &[u8]) -> bool {
        self.take(|drop| {
            drop.member == member
                && drop
                    .inner
                    .as_deref()
                    .is_some_and(|inner| holds(inner, name))
        })
    }

    /// How many entries each rule left out, in the plan's order.
    pub(super) fn counts(&self) -> Vec<u64> {
        self.drops.iter().map(|drop| drop.entries).collect()
    }

    pub(super) fn set_counts(&mut self, counts: &[u64]) {
        self.drops
            .iter_mut()
            .zip(counts)
            .for_each(|(drop, count)| drop.entries = *count);
    }

    fn take(&mut self, is_it: impl Fn(&Drop) -> bool) -> bool {
        let found = self.drops.iter_mut().find(|drop| is_it(drop));
        found.map(|drop| drop.entries += 1).is_some()
    }
}

impl Drop {
    fn parse(entry: &str) -> Result<Self, &'static str> {
        let (member, inner) = entry
            .split_once(':')
            .map_or((entry, None), |(member, inner)| (member, Some(inner)));
        if entry.split(['/', ':']).any(|part| part == "..") {
            return Err("its name goes through `..`");
        }
        let (member, inner) = (
            normalise(member.as_bytes()),
            inner.map(|inner| normalise(inner.as_bytes())),
        );
        let first = member
            .split(|byte| *byte == b'/')
            .next()
            .unwrap_or_default();
        match &inner {
            _ if member.is_empty() => Err("it has no name"),
            _ if NEEDED.contains(&first) => Err("a restore needs it"),
            Some(inner) if inner.is_empty() => Err("it has no name"),
            Some(_) if member != DIFF => Err("only `rootfs-diff.tar` has entries"),
            _ => Ok(Self {
                member,
                inner,
                entries: 0,
            }),
        }
    }
}

/// Whether `plan` hides environment variables in `place`.
pub(super) fn hides_environments(plan: &Plan, place: Place) -> bool {
    plan.mask
        .iter()
        .any(|rule| matches!(rule.pattern, Pattern::EnvValue(_)) && rule.places.contains(&place))
}

fn holds(directory: &[u8], name: &[u8]) -> bool {
    name.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::DropRule;

    fn plan(entry: &str) -> Plan {
        let rule = DropRule {
            name: "rule".to_owned(),
            entry: entry.to_owned(),
        };
        Plan {
            drop: vec![rule],
            ..Plan::default()
        }
    }

    #[test]
    fn what_a_restore_needs_cannot_be_dropped() {
        for entry in [
            "checkpoint/pages-1.img",
            "checkpoint",
            "./checkpoint/",
            "/spec.dump",
            "config.dump",
            "status.dump",
            "",
            ":",
            "rootfs-diff.tar:",
            "container.log:x",
            "x/../spec.dump",
            "checkpoint:x",
            "spec.dump:process",
        ] {
            let refused = check_plan(&plan(entry), &RedactionSettings::default()).unwrap_err();
            assert!(
                refused.to_string().contains("cannot drop"),
                "{entry}: {refused}"
            );
        }
    }

    #[test]
    fn logs_and_changed_files_can_be_dropped() {
        for entry in [
            "container.log",
            "dump.log",
            "stats-dump",
            "rootfs-diff.tar:/etc/shadow",
            "rootfs-diff.tar",
        ] {
            check_plan(&plan(entry), &RedactionSettings::default()).unwrap();
        }
    }

    #[test]
    fn a_directory_goes_with_all_that_is_in_it() {
        let mut drops = Drops::new(&plan("rootfs-diff.tar:/run/secrets")).unwrap();
        let taken = [
            &b"run/secrets"[..],
            b"run/secrets/token",
            b"run/secrets2",
            b"run",
        ]
        .map(|name| drops.take_entry(DIFF, name));
        assert_eq!(taken, [true, true, false, false]);
        assert!(!drops.take_entry(b"checkpoint/tmpfs-dev-1.tar.gz.img", b"run/secrets"));
        assert_eq!(drops.counts(), [2]);
    }

    #[test]
    fn a_mask_that_would_break_json_is_refused() {
        for mask in [0, b'"', b'\\', b'\n', 0xff] {
            let settings = RedactionSettings {
                mask,
                ..RedactionSettings::default()
            };
            assert!(check_plan(&Plan::default(), &settings).is_err());
        }
    }
}
