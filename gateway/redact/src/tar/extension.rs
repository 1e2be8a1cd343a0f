//! Extended headers: what they say about the next member, and the workload's texts in them.

use std::io::BufRead;
use std::ops::Range;

use super::block::padding;
use super::header::{Header, Kind};
use super::pax::{self, Record};
use super::text::{HeaderText, ReplacedText};
use crate::Error;
use crate::stream::read_exact;

/// The largest extended header or long name, in bytes.
const MAX_EXTENSION: u64 = 1 << 20;

/// Keys of records whose values are numbers (POSIX.1, pax), beside the size. GNU's map of holes is a list of them.
const NUMBERS: [&[u8]; 5] = [b"uid", b"gid", b"mtime", b"atime", b"ctime"];
/// Of GNU's records about holes, the one that is a name.
const SPARSE_NAME: &[u8] = b"GNU.sparse.name";

/// A header that says something about the next one, with its contents.
#[derive(Debug, Clone)]
pub(super) struct Extension {
    header: Header,
    body: Vec<u8>,
    /// Whether anything but zeros fills up the last block.
    has_bytes_behind: bool,
}

/// Values from extended headers that replace those of the member's own header.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) name: Option<Vec<u8>>,
    /// The real name of a sparse member; `name` is then made up.
    pub(super) sparse_name: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) sparse: bool,
    /// Offsets and lengths of a sparse member's parts.
    pub(super) map: Vec<u64>,
    /// Whether the contents begin with a sparse map instead.
    pub(super) has_map_in_contents: bool,
}

/// A text's position in an extension's contents.
struct Located {
    range: Range<usize>,
    text: HeaderText,
    /// The position in it of the sign that ends a record's key, where the key is searched, too.
    equals: Option<usize>,
    /// The text of the member's own header in whose place it stands.
    replaces: Option<ReplacedText>,
}

impl Extension {
    /// Reads the contents that follow `header`.
    pub(super) fn read(header: Header, input: &mut dyn BufRead) -> Result<Self, Error> {
        let size = header.size()?;
        if size > MAX_EXTENSION {
            return Err(Error::BadTar("an extended header is too large"));
        }
        let mut body = vec![0; usize::try_from(size).unwrap_or_default()];
        read_exact(input, &mut body)?;
        let mut behind = vec![0; padding(size)];
        read_exact(input, &mut behind)?;
        Ok(Self {
            header,
            body,
            has_bytes_behind: behind.iter().any(|byte| *byte != 0),
        })
    }

    /// Bytes of contents.
    pub(super) fn len(&self) -> usize {
        self.body.len()
    }

    /// Appends header and contents to `front`, byte for byte except for what `edit` overwrites. Returns the texts that stand in
    /// the place of those in the member's header and were edited.
    pub(super) fn write(
        &self,
        edit: &mut impl FnMut(HeaderText, &mut [u8]),
        front: &mut Vec<u8>,
    ) -> Result<Vec<(ReplacedText, Vec<u8>)>, Error> {
        let (mut body, mut edited) = (self.body.clone(), Vec::new());
        for located in self.texts()? {
            let Some(text) = body.get_mut(located.range.clone()) else {
                continue;
            };
            edit(located.text, text);
            if let Some(equals) = located.equals
                && let Some(byte) = text.get_mut(equals)
            {
                *byte = b'=';
            }
            if let Some(replaced) = located.replaces
                && Some(&*text) != self.body.get(located.range)
            {
                edited.push((replaced, text.to_vec()));
            }
        }
        let is_name = |(replaced, _): &&(ReplacedText, _)| *replaced == ReplacedText::Name;
        let header = match edited.iter().rfind(is_name) {
            Some((replaced, name)) => &self.header.with_beginning_of(*replaced, name),
            None => &self.header,
        };
        let header = header.edited(edit)?;
        front.extend_from_slice(header.as_bytes());
        front.extend_from_slice(&body);
        front.resize(front.len() + padding(body.len() as u64), 0);
        Ok(edited)
    }

    /// The same extension without a record of the member's size, which the header then has alone.
    pub(super) fn without_size(&self) -> Result<Self, Error> {
        if self.header.kind() != Kind::Pax {
            return Ok(self.clone());
        }
        let mut body = Vec::new();
        for record in pax::records(&self.body)? {
            if pax::text(&self.body, &record.key) != b"size" {
                body.extend(pax::text(&self.body, &record.whole));
            }
        }
        Ok(Self {
            header: self.header.with_size(body.len() as u64),
            body,
            has_bytes_behind: false,
        })
    }

    /// Whether a record holds the file's capabilities, as GNU tar and Go or libarchive write them.
    pub(super) fn has_capabilities(&self) -> bool {
        let Ok(records) = pax::records(&self.body) else {
            return false;
        };
        self.header.kind() == Kind::Pax
            && records.iter().any(|record| {
                let key = pax::text(&self.body, &record.key);
                key.ends_with(b".xattr.security.capability")
            })
    }

    fn texts(&self) -> Result<Vec<Located>, Error> {
        match self.header.kind() {
            Kind::LongName => Ok(vec![Located::whole(0..self.body.len(), HeaderText::Name)]),
            Kind::LongLink => Ok(vec![Located::whole(0..self.body.len(), HeaderText::Link)]),
            Kind::Pax | Kind::Global => {
                let records = pax::records(&self.body)?.into_iter();
                let texts = records.map(|record| self.text(record));
                Ok(texts
                    .collect::<Result<Vec<_>, _>>()?
                    .into_iter()
                    .flatten()
                    .collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The text in a record: its value, and the key where it is no standard's.
    fn text(&self, record: Record) -> Result<Option<Located>, Error> {
        let key = pax::text(&self.body, &record.key);
        let value = pax::text(&self.body, &record.value);
        let text = match key.as_slice() {
            b"path" | SPARSE_NAME => HeaderText::Name,
            b"linkpath" => HeaderText::Link,
            b"uname" | b"gname" | b"comment" | b"charset" | b"hdrcharset" => HeaderText::Data,
            b"size" => return Ok(None),
            key if NUMBERS.contains(&key) || key.starts_with(b"GNU.sparse.") => {
                return if is_number(&value) {
                    Ok(None)
                } else {
                    Err(Error::BadTar("a number in an extended header is none"))
                };
            }
            key => {
                let mut located =
                    Located::whole(record.key.start..record.value.end, HeaderText::Data);
                located.equals = Some(key.len());
                return Ok(Some(located));
            }
        };
        let mut located = Located::whole(record.value, text);
        located.replaces = match key.as_slice() {
            b"uname" => Some(ReplacedText::User),
            b"gname" => Some(ReplacedText::Group),
            _ => located.replaces,
        };
        Ok(Some(located))
    }

    /// Appends header and contents as they came. `false` if bytes were left out.
    pub(super) fn write_original(&self, front: &mut Vec<u8>) -> bool {
        front.extend_from_slice(self.header.as_bytes());
        front.extend_from_slice(&self.body);
        front.resize(front.len() + padding(self.body.len() as u64), 0);
        !self.has_bytes_behind
    }
}

impl Located {
    fn whole(range: Range<usize>, text: HeaderText) -> Self {
        Self {
            range,
            text,
            equals: None,
            replaces: match text {
                HeaderText::Name => Some(ReplacedText::Name),
                HeaderText::Link => Some(ReplacedText::Link),
                HeaderText::Data | HeaderText::Block => None,
            },
        }
    }
}

/// An id, a time with a fraction, or a list of offsets and lengths. An empty value takes a record back.
fn is_number(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    digits
        .iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
}

impl Overrides {
    /// Adds what `extension` says.
    pub(super) fn add(&mut self, extension: &Extension) -> Result<(), Error> {
        match extension.header.kind() {
            Kind::LongName => set(&mut self.name, long_name(&extension.body)?),
            Kind::LongLink => set(&mut self.link, long_name(&extension.body)?),
            kind => self.add_records(&extension.body, kind == Kind::Global),
        }
    }

    /// Adds what the record says of a sparse map.
    fn add_sparse(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        match key {
            b"GNU.sparse.map" => {
                for number in value.split(|byte| *byte == b',') {
                    self.map.push(pax::number(number)?);
                }
            }
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.map.push(pax::number(value)?),
            b"GNU.sparse.major" => self.has_map_in_contents = value != b"0",
            _ => {}
        }
        Ok(())
    }

    fn add_records(&mut self, body: &[u8], global: bool) -> Result<(), Error> {
        for record in pax::records(body)? {
            let value = pax::text(body, &record.value);
            let key = pax::text(body, &record.key);
            // Some readers apply these to all members that follow, some do not.
            if global && matches!(key.as_slice(), b"path" | b"linkpath" | b"size") {
                return Err(Error::BadTar("a global header names a path or a size"));
            }
            self.add_sparse(&key, &value)?;
            match key.as_slice() {
                // An empty value takes a record back.
                b"path" | b"linkpath" if value.is_empty() => {}
                b"path" => set(&mut self.name, value)?,
                b"GNU.sparse.name" => set(&mut self.sparse_name, value)?,
                b"linkpath" => set(&mut self.link, value)?,
                b"size" => set(&mut self.size, pax::number(&value)?)?,
                key => self.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
        Ok(())
    }
}

/// GNU's long name without the NULs at its end. Bytes between NULs would never be searched.
fn long_name(body: &[u8]) -> Result<Vec<u8>, Error> {
    let end = body
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let name = body.get(..end).unwrap_or_default();
    if name.contains(&0) {
        Err(Error::BadTar("a member's name has a NUL in it"))
    } else {
        Ok(name.to_vec())
    }
}

/// Some readers take the first of two contradicting headers, some the last: both are refused.
fn set<T: PartialEq>(field: &mut Option<T>, value: T) -> Result<(), Error> {
    if field.as_ref().is_some_and(|before| *before != value) {
        return Err(Error::BadTar(
            "a member's extended headers contradict one another",
        ));
    }
    *field = Some(value);
    Ok(())
}
