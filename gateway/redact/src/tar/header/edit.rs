//! Overwrites texts in a header, and leaves out what no reader takes for a text or a number.

use std::ops::Range;

use super::{Format, GNU_MAP, Header, Kind, MAGIC, MORE_IN_MAP, PREFIX, octal, overwrite, text};
use crate::Error;
use crate::tar::block::BLOCK;
use crate::tar::text::{HeaderText, ReplacedText};

const NAME: Range<usize> = 0..100;
const LINK: Range<usize> = 157..257;
const USER: Range<usize> = 265..297;
const GROUP: Range<usize> = 297..329;
const OWNERS: [Range<usize>; 2] = [USER, GROUP];
/// Mode, user, group and time: every reader takes these for numbers.
const NUMBERS: [Range<usize>; 4] = [100..108, 108..116, 116..124, 136..148];
/// The numbers of a device. Other kinds do not need them.
const DEVICE: [Range<usize>; 2] = [329..337, 337..345];
/// Of GNU's own format: times and the offset of a part, then the map of holes and the whole size.
const GNU_NUMBERS: [Range<usize>; 3] = [345..357, 357..369, 369..381];
const GNU_UNUSED: [Range<usize>; 2] = [381..386, 495..512];
const GNU_SIZE: Range<usize> = 483..495;

impl Header {
    /// The same header after `edit` has overwritten parts of its texts, without bytes that no reader takes for a text or a
    /// number.
    pub(crate) fn edited(
        &self,
        edit: &mut impl FnMut(HeaderText, &mut [u8]),
    ) -> Result<Self, Error> {
        let mut header = self.clone();
        header.drop_unused()?;
        let mut name = header.name();
        edit(HeaderText::Name, &mut name);
        if name != header.name() {
            header.set_name(&name);
        }
        let is_link = matches!(self.kind_byte(), b'1' | b'2');
        let link = if is_link {
            HeaderText::Link
        } else {
            HeaderText::Data
        };
        edit(link, text_mut(header.bytes_mut(LINK)));
        if header.format() != Format::Old {
            for owner in OWNERS {
                edit(HeaderText::Data, text_mut(header.bytes_mut(owner)));
            }
        }
        header.edit_across(edit)?;
        header.update_sum();
        Ok(header)
    }

    /// The same header with the beginning of a text that stands whole in an extended header.
    pub(in crate::tar) fn with_beginning_of(&self, replaced: ReplacedText, whole: &[u8]) -> Self {
        let mut header = self.clone();
        let field = match replaced {
            ReplacedText::Name => NAME,
            ReplacedText::Link => LINK,
            ReplacedText::User | ReplacedText::Group if header.format() == Format::Old => {
                return header;
            }
            ReplacedText::User => USER,
            ReplacedText::Group => GROUP,
        };
        if replaced == ReplacedText::Name && !header.prefix().is_empty() {
            header.bytes_mut(PREFIX).fill(0);
        }
        let field = header.bytes_mut(field);
        field.fill(0);
        let fits = whole.len().min(field.len().saturating_sub(1));
        overwrite(field, whole.get(..fits).unwrap_or_default());
        header.update_sum();
        header
    }

    /// What stands in several fields at once: numbers stay, texts are overwritten.
    fn edit_across(&mut self, edit: &mut impl FnMut(HeaderText, &mut [u8])) -> Result<(), Error> {
        let mut block = self.as_bytes().to_vec();
        edit(HeaderText::Block, &mut block);
        if block == self.as_bytes() {
            return Ok(());
        }
        let binary = NUMBERS.iter().chain(&DEVICE).chain(&GNU_NUMBERS);
        for field in binary.cloned() {
            let before = self.bytes(field.clone());
            if before.first().is_some_and(|first| first & 0x80 != 0)
                && block.get(field) != Some(before)
            {
                return Err(Error::BadTar("a number of a header has a secret in it"));
            }
        }
        let mut texts = vec![NAME, LINK];
        if self.format() != Format::Old {
            texts.extend(OWNERS);
        }
        if self.format() == Format::Posix {
            texts.push(PREFIX);
        }
        for field in texts {
            let edited = block.get(field.clone()).unwrap_or_default();
            overwrite(self.bytes_mut(field), edited);
        }
        Ok(())
    }

    /// Removes what no reader takes for anything, and refuses what is no number where one belongs: nothing would search it.
    fn drop_unused(&mut self) -> Result<(), Error> {
        for field in NUMBERS {
            self.keep_number(field)?;
        }
        for field in [NAME, LINK] {
            drop_behind_nul(self.bytes_mut(field));
        }
        let is_sparse = self.kind() == Kind::OldSparse;
        if is_sparse && self.format() != Format::Gnu {
            return Err(Error::BadTar(
                "a map of holes in a header that is not GNU's",
            ));
        }
        match self.format() {
            Format::Old => self.bytes_mut(MAGIC.start..BLOCK).fill(0),
            Format::Posix => {
                drop_behind_nul(self.bytes_mut(PREFIX));
                self.bytes_mut(PREFIX.end..BLOCK).fill(0);
            }
            Format::Gnu => self.drop_unused_of_gnu(is_sparse)?,
            Format::Unknown => {
                return Err(Error::BadTar(
                    "a header is of a format that readers take differently",
                ));
            }
        }
        if self.format() != Format::Old {
            for field in OWNERS {
                drop_behind_nul(self.bytes_mut(field));
            }
            self.drop_what_is_no_number(&DEVICE);
        }
        Ok(())
    }

    fn drop_unused_of_gnu(&mut self, is_sparse: bool) -> Result<(), Error> {
        for field in GNU_UNUSED {
            self.bytes_mut(field).fill(0);
        }
        self.drop_what_is_no_number(&GNU_NUMBERS);
        if is_sparse {
            for field in map_fields(GNU_MAP).chain([GNU_SIZE]) {
                self.keep_number(field)?;
            }
        } else {
            self.bytes_mut(GNU_MAP.start..GNU_SIZE.start).fill(0);
            self.drop_what_is_no_number(&[GNU_SIZE]);
        }
        Ok(())
    }

    fn keep_number(&self, field: Range<usize>) -> Result<(), Error> {
        if is_number(self.bytes(field)) {
            Ok(())
        } else {
            Err(Error::BadTar("a field of a header is not a number"))
        }
    }

    fn drop_what_is_no_number(&mut self, fields: &[Range<usize>]) {
        for field in fields {
            if !is_number(self.bytes(field.clone())) {
                self.bytes_mut(field.clone()).fill(0);
            }
        }
    }
}

/// Reads a block with more of an old sparse map. Returns whether yet another follows; `None` if it is none.
pub(crate) fn map_goes_on(block: &[u8; BLOCK]) -> Option<bool> {
    let mut fields = map_fields(0..MORE_IN_MAP);
    let numbers = fields.all(|field| block.get(field).is_some_and(is_number));
    let (more, rest) = block.get(MORE_IN_MAP..)?.split_first()?;
    (numbers && rest.iter().all(|byte| *byte == 0)).then_some(*more != 0)
}

/// The numbers of a map of holes.
fn map_fields(map: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    map.step_by(12).map(|at| at..at + 12)
}

/// Octal digits, or binary as GNU writes it; negative, too.
fn is_number(field: &[u8]) -> bool {
    match field {
        [0x80 | 0xff, ..] => true,
        _ => octal(field).is_some(),
    }
}

fn drop_behind_nul(field: &mut [u8]) {
    let length = text(field).len();
    field.get_mut(length..).unwrap_or_default().fill(0);
}

fn text_mut(field: &mut [u8]) -> &mut [u8] {
    let length = text(field).len();
    field.get_mut(..length).unwrap_or_default()
}
