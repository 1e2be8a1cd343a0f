//! Members of a tar archive: everything that stands before their contents.

use std::io::BufRead;

use super::block::{BLOCK, read_block};
use super::extension::{Extension, Overrides};
use super::header::{Header, Kind, map_goes_on};
use super::name::{escapes, normalize};
use super::sparse;
use super::text::HeaderText;
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
    /// The normalized name.
    pub(crate) name: Vec<u8>,
    /// The name as it is written.
    pub(crate) raw_name: Vec<u8>,
    /// The target of a link, normalized.
    pub(crate) link: Vec<u8>,
    /// The target of a link as it is written.
    pub(crate) raw_link: Vec<u8>,
    /// Whether the name, as it is written, is absolute or has `..` in it; of a hard link also its target.
    pub(crate) name_escapes: bool,
    /// Whether a link's target, as it is written, is absolute or has `..` in it.
    pub(crate) link_escapes: bool,
    /// Bytes of contents.
    pub(crate) size: u64,
    holes: Holes,
}

/// Holes that the contents leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holes {
    None,
    /// Their map stands in headers.
    Told,
    /// Their map stands at the beginning of the contents.
    ToldWithin,
}

/// The next thing in an archive.
#[derive(Debug)]
pub(crate) enum Next {
    /// A member; the input is at its contents.
    Member(Box<Member>),
    /// The first block of zeros, which ends an archive.
    End,
    /// The end of the input, without a block of zeros.
    NoEnd,
}

impl Member {
    /// Reads headers up to the next member's contents.
    pub(crate) fn next(input: &mut dyn BufRead) -> Result<Next, Error> {
        let (mut extensions, mut overrides) = (Vec::new(), Overrides::default());
        let mut front = 0;
        loop {
            let header = match next_header(input)? {
                Ok(header) => header,
                // Extended headers announce a member.
                Err(_) if !extensions.is_empty() => return Err(Error::Truncated),
                Err(end) => return Ok(end),
            };
            // Solaris's extended header, which most readers take for a file.
            if header.kind_byte() == b'X' {
                return Err(Error::BadTar(
                    "an extended header is of a kind that readers disagree about",
                ));
            }
            if !is_extension(header.kind()) {
                let member = Self::new(extensions, header, overrides, input)?;
                return Ok(Next::Member(Box::new(member)));
            }
            let extension = Extension::read(header, input)?;
            front += BLOCK + extension.len();
            if front > MAX_FRONT {
                return Err(Error::BadTar("a member has too many extended headers"));
            }
            overrides.add(&extension)?;
            extensions.push(extension);
        }
    }

    fn new(
        extensions: Vec<Extension>,
        header: Header,
        overrides: Overrides,
        input: &mut dyn BufRead,
    ) -> Result<Self, Error> {
        let size = size(&header, &overrides)?;
        // Some readers take it for the name, some only where the contents leave out holes.
        if overrides.sparse_name.is_some() && !overrides.sparse {
            return Err(Error::BadTar("a member has a sparse file's name alone"));
        }
        let name = overrides
            .sparse_name
            .or(overrides.name)
            .unwrap_or_else(|| header.name());
        if name.contains(&0) {
            return Err(Error::BadTar("a member's name has a NUL in it"));
        }
        if name.len() > MAX_NAME {
            return Err(Error::BadTar("a member's name is too long"));
        }
        // Some readers expect contents after such a header, some do not.
        if matches!(header.kind(), Kind::HardLink | Kind::Empty) && size != 0 {
            return Err(Error::BadTar("a link, directory or device has contents"));
        }
        let link = overrides.link.unwrap_or_else(|| header.link());
        let link_escapes = escapes(&link);
        let name_escapes = escapes(&name) || (header.kind() == Kind::HardLink && link_escapes);
        let map = if header.has_more_map() {
            read_map(input)?
        } else {
            Vec::new()
        };
        sparse::check(&overrides.map)?;
        if header.kind() == Kind::OldSparse {
            sparse::check(&sparse::old_map(&header, &map)?)?;
        }
        let holes = match overrides.sparse || header.kind() == Kind::OldSparse {
            true if overrides.has_map_in_contents => Holes::ToldWithin,
            true => Holes::Told,
            false => Holes::None,
        };
        Ok(Self {
            extensions,
            header,
            map,
            name: normalize(&name),
            raw_name: name,
            link: normalize(&link),
            raw_link: link,
            name_escapes,
            link_escapes,
            size,
            holes,
        })
    }

    /// Whether the contents leave out holes.
    pub(crate) fn is_sparse(&self) -> bool {
        self.holes != Holes::None
    }

    /// Whether a sparse map at the beginning of the contents, which `start` has, is wrong or too long to tell.
    pub(crate) fn has_wrong_map(&self, start: &[u8]) -> bool {
        self.holes == Holes::ToldWithin && !sparse::is_right(start)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.header.kind()
    }

    /// The byte that stands for the kind in the header.
    pub(crate) fn kind_byte(&self) -> u8 {
        self.header.kind_byte()
    }

    /// The permission bits, with setuid, setgid and sticky bit.
    pub(crate) fn mode(&self) -> u32 {
        self.header.mode()
    }

    /// Whether an extended header gives the file capabilities (`security.capability`).
    pub(crate) fn has_capabilities(&self) -> bool {
        self.extensions.iter().any(Extension::has_capabilities)
    }

    /// Everything before the contents, byte for byte except for what `edit` overwrites and what no reader takes for a text or a
    /// number: that is left out.
    pub(crate) fn front(
        &self,
        mut edit: impl FnMut(HeaderText, &mut [u8]),
    ) -> Result<Vec<u8>, Error> {
        let (mut front, mut header) = (Vec::new(), self.header.clone());
        for extension in &self.extensions {
            for (replaced, whole) in extension.write(&mut edit, &mut front)? {
                // The header has the beginning of a long text, or one without what is not ASCII: a secret may be cut there and so
                // not be found.
                header = header.with_beginning_of(replaced, &whole);
            }
        }
        front.extend_from_slice(header.edited(&mut edit)?.as_bytes());
        front.extend_from_slice(&self.map);
        Ok(front)
    }

    /// Whether `front` is what stood before the contents, to the byte.
    pub(crate) fn is_front(&self, front: &[u8]) -> bool {
        let (mut original, mut whole) = (Vec::new(), true);
        for extension in &self.extensions {
            whole &= extension.write_original(&mut original);
        }
        original.extend_from_slice(self.header.as_bytes());
        original.extend_from_slice(&self.map);
        whole && original == front
    }

    /// The same member with contents of another size.
    pub(crate) fn resized(&self, size: u64) -> Result<Self, Error> {
        let extensions = self.extensions.iter().map(Extension::without_size);
        Ok(Self {
            extensions: extensions.collect::<Result<_, _>>()?,
            header: self.header.with_size(size),
            map: self.map.clone(),
            name: self.name.clone(),
            raw_name: self.raw_name.clone(),
            link: self.link.clone(),
            raw_link: self.raw_link.clone(),
            name_escapes: self.name_escapes,
            link_escapes: self.link_escapes,
            size,
            holes: self.holes,
        })
    }
}

/// The size of a member's contents. Some readers take that of the header, some that of an extended header, so both must be the
/// same, unless the header's field is too small.
fn size(header: &Header, overrides: &Overrides) -> Result<u64, Error> {
    const LARGEST: u64 = 0o77_777_777_777;
    let own = header.size()?;
    match overrides.size {
        Some(size) if size != own && (size <= LARGEST || own != 0) => Err(Error::BadTar(
            "a member's header and its extended header have different sizes",
        )),
        size => Ok(size.unwrap_or(own)),
    }
}

/// The next header, or the end that comes in its place.
fn next_header(input: &mut dyn BufRead) -> Result<Result<Header, Next>, Error> {
    match read_block(input)? {
        Some(block) => Ok(Header::parse(&block)?.ok_or(Next::End)),
        None => Ok(Err(Next::NoEnd)),
    }
}

/// Whether such a header is about the member that follows.
fn is_extension(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pax | Kind::Global | Kind::LongName | Kind::LongLink
    )
}

fn read_map(input: &mut dyn BufRead) -> Result<Vec<u8>, Error> {
    let mut map = Vec::new();
    loop {
        let block = read_block(input)?.ok_or(Error::Truncated)?;
        map.extend_from_slice(&block);
        if !map_goes_on(&block).ok_or(Error::BadTar("a sparse map is damaged"))? {
            return Ok(map);
        }
        if map.len() > MAX_FRONT {
            return Err(Error::BadTar("a sparse map is too large"));
        }
    }
}
