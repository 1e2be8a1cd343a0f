//! Looks at a whole archive once and lists what it lacks, what contradicts itself, and what else its receiver should know.
//!
//! An archive is hostile input: everything that is kept is bounded, and of contents only documents, the process tree, the
//! cores, the page maps and the headers of the changed files are read.

mod base_image;
mod changed_files;
mod documents;
mod images;
mod owner;
mod repeats;

use std::io::{BufRead, Read, Seek};

use gateway_core::{Finding, FindingCode};

pub use self::owner::Owner;

use self::images::ImageSurvey;
use self::owner::OwnerSurvey;
use self::repeats::RepeatSurvey;
use crate::Error;
use crate::criu::{PAGE_SIZES, PageCounts};
use crate::finding_list::FindingList;
use crate::part::Part;
use crate::stream::read_all;
use crate::tar::{Kind, Member, Next, for_error};
use crate::walk::{ArchiveWalk, Extent};

/// The most members of an archive: about eight for each process. They are kept in up to 24 MiB.
const MAX_MEMBERS: u64 = 250_000;

/// The members of an archive, as far as findings need them.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    members: u64,
    images: ImageSurvey,
    owner: OwnerSurvey,
    repeats: RepeatSurvey,
    list: FindingList,
}

/// Looks at `archive` from its beginning and lists its findings, the fatal ones first. `owner` is the container that it should
/// be of, where that is known.
///
/// # Errors
/// [`Error::BadTar`] and [`Error::Truncated`] if it is not a whole tar archive, [`Error::Reading`] if it cannot be read.
pub fn findings(
    archive: &mut (impl Read + Seek),
    owner: Option<Owner<'_>>,
) -> Result<Vec<Finding>, Error> {
    let mut walk = ArchiveWalk::new(archive)?;
    Survey::read(&mut walk, owner)?.finish(&mut walk)
}

impl Survey {
    /// Reads all members of an archive that is walked from its beginning.
    pub(crate) fn read(
        walk: &mut ArchiveWalk<impl Read + Seek>,
        owner: Option<Owner<'_>>,
    ) -> Result<Self, Error> {
        let mut survey = Self::default();
        if let Some(owner) = owner {
            survey.owner.expect(owner);
        }
        loop {
            match walk
                .next_member_with(&mut |member, extent, body| survey.add(member, extent, body))?
            {
                Next::Member(_) => survey.members += 1,
                Next::NoEnd => return Err(Error::Truncated),
                Next::End => return Ok(survey),
            }
            if survey.members > MAX_MEMBERS {
                return Err(Error::BadTar("it has too many members"));
            }
        }
    }

    pub(crate) fn members(&self) -> u64 {
        self.members
    }

    /// Compares what has to be compared, and lists all findings, the fatal ones first.
    pub(crate) fn finish(
        self,
        walk: &mut ArchiveWalk<impl Read + Seek>,
    ) -> Result<Vec<Finding>, Error> {
        let mut list = self.list;
        self.images.report(&mut list);
        report_pages(walk.page_counts(), &mut list);
        self.repeats.report(walk, &mut list)?;
        self.owner.report(&mut list);
        Ok(list.into_vec())
    }

    fn add(
        &mut self,
        member: &Member,
        extent: Extent,
        body: &mut dyn BufRead,
    ) -> Result<(), Error> {
        self.repeats.add(member, extent);
        self.add_header(member);
        if member.kind() != Kind::File || member.is_sparse() {
            return Ok(());
        }
        if let Some(most) = OwnerSurvey::wanted(&member.name) {
            let text = read_all(&mut body.take(most))?;
            self.owner.add_document(&member.name, &text);
            if member.name == b"config.dump" {
                base_image::report(&text, &mut self.list);
            }
        }
        match Part::of(&member.name) {
            Some(Part::RootfsDiff) => changed_files::report(body, &mut self.list),
            Some(part) => self.images.add(part, body),
            None => Ok(()),
        }
    }

    /// Findings about a member that its header alone gives.
    fn add_header(&mut self, member: &Member) {
        let place = for_error(&member.name);
        if member.name_escapes {
            let message = format!("the name of `{place}` is absolute or has `..` in it");
            self.list.fatal(FindingCode::NameEscapes, &place, &message);
        }
        match member.kind_byte() {
            b'1' | b'2' => {
                let target = for_error(&member.link);
                let message = match place.as_str() {
                    "checkpoint/parent" => format!(
                        "`{place}` is a link to a parent checkpoint that is not in the archive: `{target}`"
                    ),
                    _ => format!("`{place}` is a link to `{target}`"),
                };
                self.list.note(FindingCode::Link, &place, &message);
            }
            b'3' | b'4' | b'6' => {
                let message = format!("`{place}` is a device or a FIFO");
                self.list.note(FindingCode::Device, &place, &message);
            }
            b'5' if member.mode() & 0o100 == 0 => {
                let message = format!(
                    "`{place}/` has the mode {:04o}, without the x bit: whoever unpacks the archive as an ordinary user cannot \
                     look into the folder",
                    member.mode()
                );
                let place = format!("{place}/");
                self.list.note(FindingCode::FolderMode, &place, &message);
            }
            _ => {}
        }
        if member.name == b"checkpoint/cipher.img" {
            let message = "CRIU encrypted the images: they cannot be searched";
            self.list.note(FindingCode::Encrypted, &place, message);
        }
    }
}

fn report_pages(counts: &PageCounts, list: &mut FindingList) {
    for map in counts.unreadable_maps() {
        let name = map.to_string();
        let message = format!("`{name}` is not a CRIU image");
        list.fatal(FindingCode::ImageUnreadable, &name, &message);
    }
    for mismatch in counts.mismatches() {
        let code = if mismatch.is_missing() {
            FindingCode::ImageMissing
        } else {
            FindingCode::PageCount
        };
        let place = format!("checkpoint/pages-{}.img", mismatch.id);
        list.fatal(code, &place, &mismatch.to_string());
    }
    for (map, absent) in counts.absent() {
        let name = &map.to_string();
        if absent.in_parent > 0 {
            let message = format!(
                "{} pages of `{name}` are in a parent checkpoint that is not here",
                absent.in_parent
            );
            list.fatal(FindingCode::PagesInParent, name, &message);
        }
        if absent.lazy > 0 {
            let message = format!(
                "{} pages of `{name}` are not here: they were to be fetched later (lazy)",
                absent.lazy
            );
            list.fatal(FindingCode::PagesLazy, name, &message);
        }
        if absent.compressed > 0 {
            let message = format!(
                "{} pages of `{name}` are compressed (LZ4): a search of the bytes does not see into them",
                absent.compressed
            );
            list.note(FindingCode::PagesCompressed, name, &message);
        }
    }
    report_page_sizes(counts, list);
}

/// Pages of another machine are noteworthy; pages of two machines are a contradiction.
fn report_page_sizes(counts: &PageCounts, list: &mut FindingList) {
    let usual = *PAGE_SIZES.start();
    let mut first = None;
    for (id, size) in counts.page_sizes() {
        let place = format!("checkpoint/pages-{id}.img");
        let (other, known) = *first.get_or_insert((id, size));
        if size != known {
            let message = format!(
                "`{place}` has pages of {size} bytes, `checkpoint/pages-{other}.img` has pages of {known}: one machine has one size"
            );
            list.fatal(FindingCode::PageCount, &place, &message);
        } else if size != usual {
            let message = format!(
                "`{place}` has pages of {size} bytes: it restores on a machine with pages of that size only"
            );
            list.note(FindingCode::PageSize, &place, &message);
        }
    }
}
