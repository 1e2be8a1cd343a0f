use std::io::BufRead;

use super::extension::{Extension, Text, Told};
use super::header::{BLOCK, Header, Kind, map_goes_on};
use super::name::normalise;
use crate::Error;

/// The most that may stand before one member's contents, in bytes.
const MAX_FRONT: usize = 4 << 20;
/// The longest name, in bytes: more than Linux takes.
const MAX_NAME: usize = 64 << 10;

/// A member up to its contents.
#[derive(Debug)]
pub(crate) struct Member {
    extensions: Vec<Extension>,
    header: Header,
    /// Blocks of an old sparse map.
    map: Vec<u8>,
    /// Normalised.
    pub(crate) name: Vec<u8>,
    /// Where a hard link points, normalised.
    pub(super) link: Vec<u8>,
    /// Bytes of contents.
    pub(crate) size: u64,
    /// Whether holes are left out of the contents.
    pub(crate) sparse: bool,
}

/// What comes next in an archive.
#[derive(Debug)]
pub(crate) enum Next {
    Member(Box<Member>),
    /// The first block of zeros.
    End,
    /// Nothing more, without that.
    Cut,
}

impl Member {
    /// Reads headers up to the next member's contents.
    pub(crate) fn next(input: &mut dyn BufRead) -> Result<Next, Error> {
        let (mut extensions, mut told, mut front) = (Vec::new(), Told::default(), 0);
        loop {
            let Some(block) = block(input)? else {
                return if extensions.is_empty() {
                    Ok(Next::Cut)
                } else {
                    Err(Error::Truncated)
                };
            };
            let Some(header) = Header::parse(&block)? else {
                return if extensions.is_empty() {
                    Ok(Next::End)
                } else {
                    Err(Error::Truncated)
                };
            };
            if !matches!(
                header.kind(),
                Kind::Pax | Kind::Global | Kind::LongName | Kind::LongLink
            ) {
                return Self::new(extensions, header, told, input)
                    .map(|member| Next::Member(Box::new(member)));
            }
            let extension = Extension::read(header, input)?;
            front += BLOCK + extension.len();
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
        let name = told
            .sparse_name
            .or(told.name)
            .unwrap_or_else(|| header.name());
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
        let map = if header.has_more_map() {
            read_map(input)?
        } else {
            Vec::new()
        };
        let sparse = told.sparse || header.kind() == Kind::OldSparse;
        Ok(Self {
            extensions,
            header,
            map,
            name: normalise(&name),
            link,
            size,
            sparse,
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.header.kind()
    }

    /// The byte that names the kind in the header.
    pub(super) fn kind_byte(&self) -> u8 {
        self.header.kind_byte()
    }

    /// What stands before the contents, byte for byte, but for `edit`, which may overwrite what came from the workload.
    pub(super) fn front(&self, mut edit: impl FnMut(Text, &mut [u8])) -> Result<Vec<u8>, Error> {
        let (mut front, mut renamed) = (Vec::new(), None);
        for extension in &self.extensions {
            renamed = extension.put(&mut edit, &mut front)?.or(renamed);
        }
        // A name that is too long for the header is cut there, and with it what was to be hidden.
        let header = match renamed {
            Some(name) => self
                .header
                .with_beginning_of(&name)
                .with_names(|text| edit(Text::Name, text)),
            None => self.header.with_names(|text| edit(Text::Name, text)),
        };
        front.extend_from_slice(header.as_bytes());
        front.extend_from_slice(&self.map);
        Ok(front)
    }

    /// The same for contents of another size.
    pub(super) fn resized(&self, size: u64) -> Result<Self, Error> {
        let extensions = self
            .extensions
            .iter()
            .map(Extension::without_size)
            .collect::<Result<_, _>>()?;
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
        let block = block(input)?.ok_or(Error::Truncated)?;
        map.extend_from_slice(&block);
        if !map_goes_on(&block) {
            return Ok(map);
        }
        if map.len() > MAX_FRONT {
            return Err(Error::BadTar("a sparse map is too large"));
        }
    }
}
