use std::io::BufRead;
use std::ops::Range;

use super::header::{Header, Kind, padding};
use super::member::read_exact;
use super::pax::{self, Record};
use crate::Error;

/// The largest extended header or long name, in bytes.
const MAX_EXTENSION: u64 = 1 << 20;

/// Keys of records that are the archive's structure (POSIX.1, pax), names aside. The values of all others are data.
const STRUCTURE: [&[u8]; 10] = [
    b"size",
    b"uid",
    b"gid",
    b"uname",
    b"gname",
    b"mtime",
    b"atime",
    b"ctime",
    b"charset",
    b"hdrcharset",
];

/// A header that says something about the next one.
#[derive(Debug)]
pub(super) struct Extension {
    header: Header,
    body: Vec<u8>,
}

/// What stands before a member's contents and came from the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// A name, or where a link points.
    Name,
    /// An extended attribute, a comment.
    Data,
}

/// What a member's extensions say.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) name: Option<Vec<u8>>,
    /// Goes before the name, which is then made up.
    pub(super) sparse_name: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) sparse: bool,
}

impl Extension {
    pub(super) fn read(header: Header, input: &mut dyn BufRead) -> Result<Self, Error> {
        let size = header.size()?;
        if size > MAX_EXTENSION {
            return Err(Error::BadTar("an extended header is too large"));
        }
        let mut body = vec![0; usize::try_from(size).unwrap_or_default()];
        read_exact(input, &mut body)?;
        read_exact(input, &mut vec![0; padding(size)])?;
        Ok(Self { header, body })
    }

    pub(super) fn len(&self) -> usize {
        self.body.len()
    }

    /// Appends it to `front`, byte for byte but for `edit`, which may overwrite what came from the workload. Tells the
    /// member's name, if it stands here and was changed.
    pub(super) fn put(
        &self,
        edit: &mut impl FnMut(Text, &mut [u8]),
        front: &mut Vec<u8>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (mut body, mut renamed) = (self.body.clone(), None);
        for (range, kind, own) in self.texts()? {
            let Some(text) = body.get_mut(range.clone()) else {
                continue;
            };
            edit(kind, text);
            if own && Some(&*text) != self.body.get(range) {
                renamed = Some(text.to_vec());
            }
        }
        let header = match &renamed {
            Some(name) => self.header.with_beginning_of(name),
            None => self.header.with_names(|text| edit(Text::Name, text)),
        };
        front.extend_from_slice(header.as_bytes());
        front.extend_from_slice(&body);
        front.resize(front.len() + padding(body.len() as u64), 0);
        Ok(renamed)
    }

    /// Where texts stand, of which kind they are, and which of them is the member's own name.
    fn texts(&self) -> Result<Vec<(Range<usize>, Text, bool)>, Error> {
        match self.header.kind() {
            kind @ (Kind::LongName | Kind::LongLink) => Ok(vec![(
                0..self.body.len(),
                Text::Name,
                kind == Kind::LongName,
            )]),
            Kind::Pax | Kind::Global => {
                let records = pax::records(&self.body)?.into_iter();
                Ok(records.filter_map(|record| self.text(record)).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn text(&self, record: Record) -> Option<(Range<usize>, Text, bool)> {
        let key = pax::text(&self.body, &record.key);
        match key.as_slice() {
            b"path" | b"GNU.sparse.name" => Some((record.value, Text::Name, true)),
            b"linkpath" => Some((record.value, Text::Name, false)),
            key if STRUCTURE.contains(&key) || key.starts_with(b"GNU.sparse.") => None,
            _ => Some((record.value, Text::Data, false)),
        }
    }

    /// The size then stands in the header alone.
    pub(super) fn without_size(&self) -> Result<Self, Error> {
        let mut body = Vec::new();
        if self.header.kind() != Kind::Pax {
            return Ok(Self {
                header: self.header.clone(),
                body: self.body.clone(),
            });
        }
        for record in pax::records(&self.body)? {
            if pax::text(&self.body, &record.key) != b"size" {
                body.extend(pax::text(&self.body, &record.whole));
            }
        }
        Ok(Self {
            header: self.header.with_size(body.len() as u64),
            body,
        })
    }
}

impl Told {
    pub(super) fn hear(&mut self, extension: &Extension) -> Result<(), Error> {
        match extension.header.kind() {
            Kind::LongName => set(&mut self.name, long_name(&extension.body)?),
            Kind::LongLink => set(&mut self.link, long_name(&extension.body)?),
            kind => self.hear_records(&extension.body, kind == Kind::Global),
        }
    }

    fn hear_records(&mut self, body: &[u8], global: bool) -> Result<(), Error> {
        for record in pax::records(body)? {
            let value = pax::text(body, &record.value);
            let key = pax::text(body, &record.key);
            // Some readers apply these to all members that follow, some do not.
            if global && matches!(key.as_slice(), b"path" | b"linkpath" | b"size") {
                return Err(Error::BadTar("a global header names a path or a size"));
            }
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

/// GNU's, with NULs at its end. Anything behind them would be passed on without a look.
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

/// Some readers take the first word on a matter, some the last: we take no two.
fn set<T: PartialEq>(told: &mut Option<T>, value: T) -> Result<(), Error> {
    if told.as_ref().is_some_and(|before| *before != value) {
        return Err(Error::BadTar(
            "a member's extended headers contradict one another",
        ));
    }
    *told = Some(value);
    Ok(())
}
