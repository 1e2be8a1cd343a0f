use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufReader, Read, Seek};

use super::content::Content;
use super::header::padding;
use super::image::Entries;
use super::layout::{pages_id, present_pages};
use super::member::{Member, Next};
use super::name::shown;
use super::screen::pieces;
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

/// Pages that page maps tell of, and pages that are there.
#[derive(Debug, Default)]
struct Pages {
    told: BTreeMap<u64, u64>,
    bytes: BTreeMap<u64, u64>,
}

/// The smallest and the largest page of any machine that CRIU knows.
const PAGE: std::ops::RangeInclusive<u64> = 4 << 10..=64 << 10;
const MAX_ENTRY: usize = 4 << 10;

impl Inventory {
    pub(super) fn add(&mut self, member: &Member, content: Content) {
        let size = (content != Content::Diff).then_some(member.size);
        self.members.push(Listed { name: hash(&member.name), kind: member.kind_byte(), size });
    }

    /// Reads `file` once more, but for the contents, and compares: nothing that the passes noted about what they wrote
    /// counts here.
    pub(super) fn check(&self, file: &File) -> Result<(), Error> {
        let length = file.metadata().map_err(Error::Reading)?.len();
        let mut reader = BufReader::new(file);
        reader.rewind().map_err(Error::Reading)?;
        let (mut expected, mut pages) = (self.members.iter(), Pages::default());
        while let Next::Member(member) =
            Member::next(&mut reader).map_err(|error| broke(&error.to_string()))?
        {
            let content = Content::of(&member.name);
            let mut found = Self::default();
            found.add(&member, content);
            if expected.next() != found.members.first() {
                return Err(broke(&format!("`{}` is not what came in", shown(&member.name))));
            }
            pages.look(&member, content, &mut reader, length)?;
        }
        match expected.next() {
            None => pages.check(),
            Some(_) => Err(broke("members are missing")),
        }
    }
}

impl Pages {
    fn look(
        &mut self,
        member: &Member,
        content: Content,
        reader: &mut BufReader<&File>,
        length: u64,
    ) -> Result<(), Error> {
        match content {
            Content::PageMap(_) => self.read_map(&mut reader.by_ref().take(member.size))?,
            Content::Pages(id) => {
                self.bytes.insert(id, member.size);
                skip(reader, member.size)?;
            }
            _ => skip(reader, member.size)?,
        }
        skip(reader, padding(member.size) as u64)?;
        let at = reader.stream_position().map_err(Error::Reading)?;
        if at > length { Err(broke("it ends in the middle")) } else { Ok(()) }
    }

    fn read_map(&mut self, content: &mut std::io::Take<&mut BufReader<&File>>) -> Result<(), Error> {
        let (mut entries, mut id, mut sum) = (Entries::new(MAX_ENTRY), None, 0u64);
        pieces(content, |piece| {
            entries.push(piece, |entry| {
                if id.is_none() {
                    id = pages_id(entry);
                    return id.is_some();
                }
                let pages = present_pages(entry);
                sum = sum.saturating_add(pages.unwrap_or_default());
                pages.is_some()
            });
            Ok(())
        })?;
        if let Some(id) = id.filter(|_| entries.is_whole()) {
            let told = self.told.entry(id).or_default();
            *told = told.saturating_add(sum);
        }
        Ok(())
    }

    /// A page more or less hangs CRIU's restorer for ever.
    fn check(&self) -> Result<(), Error> {
        for (id, pages) in &self.told {
            let bytes = self.bytes.get(id).copied().unwrap_or_default();
            let page = bytes.checked_div(*pages);
            let fits = page.is_none_or(|page| PAGE.contains(&page) && page.is_power_of_two());
            if !fits || page.unwrap_or_default().saturating_mul(*pages) != bytes {
                return Err(broke(&format!("`pages-{id}.img` has {bytes} bytes for {pages} pages")));
            }
        }
        Ok(())
    }
}

fn skip(reader: &mut BufReader<&File>, bytes: u64) -> Result<(), Error> {
    let bytes = i64::try_from(bytes).map_err(|_| broke("a size is no number"))?;
    reader.seek_relative(bytes).map_err(Error::Reading)
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
            rest = &rest[usize::try_from(member.size).unwrap().next_multiple_of(BLOCK)..];
        }
        inventory
    }

    fn check(before: Members<'_>, after: &[u8]) -> Result<(), Error> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(after).unwrap();
        inventory(&tar(before)).check(&file)
    }

    const BEFORE: Members<'_> =
        &[("checkpoint/a.img", b"1234"), ("rootfs-diff.tar", b"12"), ("status", b"{}")];

    #[test]
    fn only_what_may_change_may_have_changed() {
        let other = [("checkpoint/a.img", &b"****"[..]), ("rootfs-diff.tar", b"12345"), ("status", b"[]")];
        check(BEFORE, &tar(&other)).unwrap();
        for (at, name, bytes) in [
            (0, "checkpoint/a.img", &b"123"[..]),
            (0, "checkpoint/b.img", b"1234"),
            (2, "status", b"{ }"),
            (1, "status", b"{}"),
        ] {
            let mut after = other;
            after[at] = (name, bytes);
            assert!(matches!(check(BEFORE, &tar(&after)), Err(Error::BrokeArchive(_))), "{name}");
        }
    }

    #[test]
    fn members_that_are_missing_added_or_cut_are_noticed() {
        let whole = tar(BEFORE);
        for after in
            [tar(&BEFORE[..2]), tar(&[BEFORE, &BEFORE[..1]].concat()), whole[..BLOCK + 2].to_vec(), vec![]]
        {
            assert!(matches!(check(BEFORE, &after), Err(Error::BrokeArchive(_))));
        }
    }
}
