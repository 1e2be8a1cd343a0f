use std::io::BufRead;

use super::header::{BLOCK, Header, Kind, map_goes_on, padding};
use super::name::normalise;
use super::pax;
use crate::Error;

/// The largest extended header or long name, in bytes.
const MAX_EXTENSION: u64 = 1 << 20;
/// The most that may stand before one member's contents, in bytes.
const MAX_FRONT: usize = 4 << 20;
/// The longest name, in bytes: more than Linux takes.
const MAX_NAME: usize = 64 << 10;

/// A member up to its contents.
#[derive(Debug)]
pub(super) struct Member {
    extensions: Vec<Extension>,
    header: Header,
    /// Blocks of an old sparse map.
    map: Vec<u8>,
    /// Normalised.
    pub(super) name: Vec<u8>,
    /// Where a hard link points, normalised.
    pub(super) link: Vec<u8>,
    /// Bytes of contents.
    pub(super) size: u64,
    /// Whether holes are left out of the contents.
    pub(super) sparse: bool,
}

/// A header that says something about the next one.
#[derive(Debug)]
struct Extension {
    header: Header,
    body: Vec<u8>,
}

/// What comes next in an archive.
#[derive(Debug)]
pub(super) enum Next {
    Member(Box<Member>),
    /// The first block of zeros.
    End,
    /// Nothing more, without that.
    Cut,
}

#[derive(Debug, Default)]
struct Told {
    name: Option<Vec<u8>>,
    /// Goes before the name, which is then made up.
    sparse_name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Member {
    /// Reads headers up to the next member's contents.
    pub(super) fn next(input: &mut dyn BufRead) -> Result<Next, Error> {
        let (mut extensions, mut told, mut front) = (Vec::new(), Told::default(), 0);
        loop {
            let Some(block) = block(input)? else {
                return if extensions.is_empty() { Ok(Next::Cut) } else { Err(Error::CutShort) };
            };
            let Some(header) = Header::parse(&block)? else {
                return if extensions.is_empty() { Ok(Next::End) } else { Err(Error::CutShort) };
            };
            if !matches!(header.kind(), Kind::Pax | Kind::Global | Kind::LongName | Kind::LongLink) {
                return Self::new(extensions, header, told, input)
                    .map(|member| Next::Member(Box::new(member)));
            }
            let extension = Extension::read(header, input)?;
            front += BLOCK + extension.body.len();
            if front > MAX_FRONT {
                return Err(Error::BadTar("a member has too many extended headers"));
            }
            told.hear(&extension)?;
            extensions.push(extension);
        }
    }

    fn new(
        extensions: Vec<Extension>,
        header: Header,
        told: Told,
        input: &mut dyn BufRead,
    ) -> Result<Self, Error> {
        let size = told.size.map_or_else(|| header.size(), Ok)?;
        let name = told.sparse_name.or(told.name).unwrap_or_else(|| header.name());
        if name.contains(&0) {
            return Err(Error::BadTar("a member's name has a NUL in it"));
        }
        if name.len() > MAX_NAME {
            return Err(Error::BadTar("a member's name is too long"));
        }
        // Readers differ on whether contents follow such a header, and we must not differ from any of them.
        if matches!(header.kind(), Kind::HardLink | Kind::Empty) && size != 0 {
            return Err(Error::BadTar("a link, directory or device has contents"));
        }
        let link = normalise(&told.link.unwrap_or_else(|| header.link()));
        let map = if header.has_more_map() { read_map(input)? } else { Vec::new() };
        let sparse = told.sparse || header.kind() == Kind::OldSparse;
        Ok(Self { extensions, header, map, name: normalise(&name), link, size, sparse })
    }

    pub(super) fn kind(&self) -> Kind {
        self.header.kind()
    }

    /// The byte that names the kind in the header.
    pub(super) fn kind_byte(&self) -> u8 {
        self.header.kind_byte()
    }

    /// What stands before the contents, byte for byte, but for `edit`, which may overwrite the values of records that
    /// name nothing.
    pub(super) fn front(&self, mut edit: impl FnMut(&mut [u8])) -> Result<Vec<u8>, Error> {
        let mut front = Vec::new();
        for extension in &self.extensions {
            let mut body = extension.body.clone();
            for range in extension.free_text()? {
                if let Some(text) = body.get_mut(range) {
                    edit(text);
                }
            }
            extension.put(&body, &mut front);
        }
        front.extend_from_slice(self.header.as_bytes());
        front.extend_from_slice(&self.map);
        Ok(front)
    }

    /// The same for contents of another size.
    pub(super) fn resized(&self, size: u64) -> Result<Self, Error> {
        let extensions = self.extensions.iter().map(Extension::without_size).collect::<Result<_, _>>()?;
        Ok(Self {
            extensions,
            header: self.header.with_size(size),
            map: self.map.clone(),
            name: self.name.clone(),
            link: self.link.clone(),
            size,
            sparse: self.sparse,
        })
    }
}

impl Extension {
    fn read(header: Header, input: &mut dyn BufRead) -> Result<Self, Error> {
        let size = header.size()?;
        if size > MAX_EXTENSION {
            return Err(Error::BadTar("an extended header is too large"));
        }
        let mut body = vec![0; usize::try_from(size).unwrap_or_default()];
        read_exact(input, &mut body)?;
        read_exact(input, &mut vec![0; padding(size)])?;
        Ok(Self { header, body })
    }

    fn put(&self, body: &[u8], front: &mut Vec<u8>) {
        front.extend_from_slice(self.header.as_bytes());
        front.extend_from_slice(body);
        front.resize(front.len() + padding(body.len() as u64), 0);
    }

    /// Where values stand that are data and no part of the archive's structure: extended attributes, comments.
    fn free_text(&self) -> Result<Vec<std::ops::Range<usize>>, Error> {
        if !matches!(self.header.kind(), Kind::Pax | Kind::Global) {
            return Ok(Vec::new());
        }
        let records = pax::records(&self.body)?.into_iter();
        let free = records.filter(|record| {
            let key = pax::text(&self.body, &record.key);
            key.contains(&b'.') && !key.starts_with(b"GNU.sparse.") || key == b"comment"
        });
        Ok(free.map(|record| record.value).collect())
    }

    /// The size then stands in the header alone.
    fn without_size(&self) -> Result<Self, Error> {
        let mut body = Vec::new();
        if self.header.kind() != Kind::Pax {
            return Ok(Self { header: self.header.clone(), body: self.body.clone() });
        }
        for record in pax::records(&self.body)? {
            if pax::text(&self.body, &record.key) != b"size" {
                body.extend(pax::text(&self.body, &record.whole));
            }
        }
        Ok(Self { header: self.header.with_size(body.len() as u64), body })
    }
}

impl Told {
    fn hear(&mut self, extension: &Extension) -> Result<(), Error> {
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
    let end = body.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let name = body.get(..end).unwrap_or_default();
    if name.contains(&0) { Err(Error::BadTar("a member's name has a NUL in it")) } else { Ok(name.to_vec()) }
}

/// Some readers take the first word on a matter, some the last: we take no two.
fn set<T: PartialEq>(told: &mut Option<T>, value: T) -> Result<(), Error> {
    if told.as_ref().is_some_and(|before| *before != value) {
        return Err(Error::BadTar("a member's extended headers contradict one another"));
    }
    *told = Some(value);
    Ok(())
}

/// Fills `buffer`.
pub(super) fn read_exact(input: &mut dyn BufRead, buffer: &mut [u8]) -> Result<(), Error> {
    input.read_exact(buffer).map_err(Error::reading)
}

/// The next block; `None` at the end.
fn block(input: &mut dyn BufRead) -> Result<Option<[u8; BLOCK]>, Error> {
    if at_end(input)? {
        return Ok(None);
    }
    let mut block = [0; BLOCK];
    read_exact(input, &mut block)?;
    Ok(Some(block))
}

fn at_end(input: &mut dyn BufRead) -> Result<bool, Error> {
    loop {
        match input.fill_buf() {
            Ok(bytes) => return Ok(bytes.is_empty()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::reading(error)),
        }
    }
}

fn read_map(input: &mut dyn BufRead) -> Result<Vec<u8>, Error> {
    let mut map = Vec::new();
    loop {
        let block = block(input)?.ok_or(Error::CutShort)?;
        map.extend_from_slice(&block);
        if !map_goes_on(&block) {
            return Ok(map);
        }
        if map.len() > MAX_FRONT {
            return Err(Error::BadTar("a sparse map is too large"));
        }
    }
}
