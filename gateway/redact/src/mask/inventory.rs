//! The last check: whether the redacted archive has the members of the original, at their lengths.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek};

use super::packed_pages::packed_pages_error;
use crate::Error;
use crate::content::Content;
use crate::tar::{Member, Next, for_error};
use crate::walk::ArchiveWalk;

/// The members of an archive, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inventory(Vec<Entry>);

/// One member. The name is kept as a hash, since there may be a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    name: u64,
    kind: u8,
    /// `None` where redaction may change it.
    size: Option<u64>,
}

impl Inventory {
    /// Adds the next member.
    pub(super) fn add(&mut self, member: &Member) {
        self.0.push(Entry::of(member));
    }

    /// The last member is to have the name of `written`.
    pub(super) fn rename(&mut self, written: &Member) {
        if let Some(last) = self.0.last_mut() {
            last.name = Entry::of(written).name;
        }
    }

    /// The member that was added last may come out at another length.
    pub(super) fn last_may_change(&mut self) {
        if let Some(last) = self.0.last_mut() {
            last.size = None;
        }
    }

    /// Reads the headers and page maps of `archive` and compares. Of compressed pages, `was_unpacked` says by the image's number
    /// whether they were searched. Relies on nothing else that was noted while it was written.
    pub(super) fn check(
        &self,
        archive: &mut (impl Read + Seek),
        was_unpacked: impl Fn(u64) -> bool,
    ) -> Result<(), Error> {
        let mut walk = ArchiveWalk::new(archive)?;
        let mut expected = self.0.iter();
        while let Next::Member(member) = next_member(&mut walk)? {
            let is_expected = |expected: &Entry| expected.matches(&Entry::of(&member));
            if !expected.next().is_some_and(is_expected) {
                let name = for_error(&member.name);
                return Err(broke(&format!("`{name}` is not what came in")));
            }
        }
        if expected.next().is_some() {
            return Err(broke("members are missing"));
        }
        let mut compressed = walk.page_counts().compressed();
        if let Some(id) = compressed.find(|id| !was_unpacked(*id)) {
            let reason = "its pages are compressed, and were not unpacked";
            return Err(packed_pages_error(id, reason));
        }
        let mismatch = walk.page_counts().mismatches().next();
        mismatch.map_or(Ok(()), |mismatch| Err(broke(&mismatch.to_string())))
    }
}

impl Entry {
    fn of(member: &Member) -> Self {
        let mut hasher = DefaultHasher::new();
        member.name.hash(&mut hasher);
        let free = Content::of(&member.name).has_free_length();
        Self {
            name: hasher.finish(),
            kind: member.kind_byte(),
            size: (!free).then_some(member.size),
        }
    }

    /// Whether the member that came in may have become `other`.
    fn matches(&self, other: &Self) -> bool {
        let same_size = self.size.is_none() || self.size == other.size;
        self.name == other.name && self.kind == other.kind && same_size
    }
}

/// An archive that cannot be read was broken by redaction: it could be read before.
fn next_member(walk: &mut ArchiveWalk<impl Read + Seek>) -> Result<Next, Error> {
    walk.next_member().map_err(|error| match error {
        Error::Reading(source) => Error::Reading(source),
        error => broke(&error.to_string()),
    })
}

fn broke(why: &str) -> Error {
    Error::BrokeArchive(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::BLOCK;
    use std::io::Write;

    type Members<'a> = &'a [(&'a str, &'a [u8])];

    fn tar(members: Members<'_>) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in members {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn inventory(archive: &[u8]) -> Inventory {
        let (mut inventory, mut rest) = (Inventory::default(), archive);
        while let Next::Member(member) = Member::next(&mut rest).unwrap() {
            inventory.add(&member);
            rest = &rest[usize::try_from(member.size)
                .unwrap()
                .next_multiple_of(BLOCK)..];
        }
        inventory
    }

    fn check(before: Members<'_>, after: &[u8]) -> Result<(), Error> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(after).unwrap();
        inventory(&tar(before)).check(&mut file, |_| false)
    }

    const BEFORE: Members<'_> = &[
        ("checkpoint/a.img", b"1234"),
        ("rootfs-diff.tar", b"12"),
        ("status", b"{}"),
        ("checkpoint/tmpfs-dev-9.tar.gz.img", b"12"),
        ("checkpoint/pages-1.img", b"12"),
    ];

    #[test]
    fn only_archives_inside_may_change_their_length() {
        let other = [
            ("checkpoint/a.img", &b"****"[..]),
            ("rootfs-diff.tar", b"12345"),
            ("status", b"[]"),
            ("checkpoint/tmpfs-dev-9.tar.gz.img", b"1"),
            ("checkpoint/pages-1.img", b"**"),
        ];
        check(BEFORE, &tar(&other)).unwrap();
        for (at, name, bytes) in [
            (0, "checkpoint/a.img", &b"123"[..]),
            (0, "checkpoint/b.img", b"1234"),
            (2, "status", b"{ }"),
            (1, "status", b"{}"),
            (3, "checkpoint/tmpfs-dev-8.tar.gz.img", b"12"),
            (4, "checkpoint/pages-1.img", b"***"),
            (4, "checkpoint/tmpfs-dev-9.tar.gz.img", b"12"),
        ] {
            let mut after = other;
            after[at] = (name, bytes);
            assert!(
                matches!(check(BEFORE, &tar(&after)), Err(Error::BrokeArchive(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn notices_missing_added_and_truncated_members() {
        let whole = tar(BEFORE);
        for after in [
            tar(&BEFORE[..2]),
            tar(&[BEFORE, &BEFORE[..1]].concat()),
            whole[..BLOCK + 2].to_vec(),
            vec![],
        ] {
            assert!(matches!(check(BEFORE, &after), Err(Error::BrokeArchive(_))));
        }
    }
}
