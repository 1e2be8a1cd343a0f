use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::Error;
use crate::redact::{Content, Member, Next, Pages, pieces};

/// The most members of an archive.
const MAX_MEMBERS: u64 = 1_000_000;

/// What [`verify()`] found in an archive that is a whole tar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    /// How many members it has.
    pub members: u64,
    /// What in it contradicts itself, in words: nothing, in a checkpoint that can be restored.
    pub faults: Vec<String>,
}

/// Goes over the structure of `archive` from its beginning: every header and length of the tar, and that the processes'
/// memory has as many pages as its maps tell. Needs no metadata and tells nothing about contents.
///
/// # Errors
/// [`Error::BadTar`] and [`Error::Truncated`] where it is no whole tar archive, [`Error::Reading`] where it cannot be read.
pub fn verify(archive: &mut (impl Read + Seek)) -> Result<Structure, Error> {
    let mut reader = BufReader::new(archive);
    let length = reader.seek(SeekFrom::End(0)).map_err(Error::Reading)?;
    reader.rewind().map_err(Error::Reading)?;
    let (mut members, mut pages) = (0, Pages::default());
    loop {
        match Member::next(&mut reader)? {
            Next::Member(member) => {
                members += 1;
                let whole = pages.look(&member, Content::of(&member.name), &mut reader, length)?;
                if !whole {
                    return Err(Error::Truncated);
                }
            }
            Next::Cut => return Err(Error::Truncated),
            Next::End => break,
        }
        if members > MAX_MEMBERS {
            return Err(Error::BadTar("it has too many members"));
        }
    }
    nothing_follows(&mut reader)?;
    Ok(Structure {
        members,
        faults: pages.damage().chain(pages.faults()).collect(),
    })
}

/// Some readers look for more behind the end.
fn nothing_follows<R: Read>(reader: &mut BufReader<R>) -> Result<(), Error> {
    pieces(reader, |bytes| {
        let empty = bytes.iter().all(|byte| *byte == 0);
        if empty {
            Ok(())
        } else {
            Err(Error::BadTar("something follows the end"))
        }
    })
}
