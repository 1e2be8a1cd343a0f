use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufReader, Read, Seek, SeekFrom};

use super::content::Content;
use super::member::{Member, Next};
use super::name::shown;
use super::pages::Pages;
use crate::Error;

/// What an archive is made of: as it was read, and as it must be found again in what was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inventory {
    members: Vec<Listed>,
}

/// One member. Names are kept as hashes: there may be a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listed {
    name: u64,
    kind: u8,
    /// `None` where redaction may change it.
    size: Option<u64>,
}

impl Inventory {
    pub(super) fn add(&mut self, member: &Member, content: Content) {
        let size = (!content.has_free_length()).then_some(member.size);
        self.members.push(Listed {
            name: hash(&member.name),
            kind: member.kind_byte(),
            size,
        });
    }

    /// Reads `archive` once more, but for the contents, and compares: nothing that the passes noted about what they wrote
    /// counts here.
    pub(super) fn check(&self, archive: &mut (impl Read + Seek)) -> Result<(), Error> {
        let mut reader = BufReader::new(archive);
        let length = reader.seek(SeekFrom::End(0)).map_err(Error::Reading)?;
        reader.rewind().map_err(Error::Reading)?;
        let (mut expected, mut pages) = (self.members.iter(), Pages::default());
        while let Next::Member(member) =
            Member::next(&mut reader).map_err(|error| broke(&error.to_string()))?
        {
            let content = Content::of(&member.name);
            let mut found = Self::default();
            found.add(&member, content);
            if expected.next() != found.members.first() {
                return Err(broke(&format!(
                    "`{}` is not what came in",
                    shown(&member.name)
                )));
            }
            if !pages.look(&member, content, &mut reader, length)? {
                return Err(broke("it ends in the middle"));
            }
        }
        match expected.next() {
            None => pages
                .faults()
                .next()
                .map_or(Ok(()), |fault| Err(broke(&fault))),
            Some(_) => Err(broke("members are missing")),
        }
    }
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

fn broke(why: &str) -> Error {
    Error::BrokeArchive(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::header::BLOCK;
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
            inventory.add(&member, Content::of(&member.name));
            rest = &rest[usize::try_from(member.size)
                .unwrap()
                .next_multiple_of(BLOCK)..];
        }
        inventory
    }

    fn check(before: Members<'_>, after: &[u8]) -> Result<(), Error> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(after).unwrap();
        inventory(&tar(before)).check(&mut file)
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
    fn members_that_are_missing_added_or_cut_are_noticed() {
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
