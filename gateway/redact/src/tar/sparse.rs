//! Maps of sparse members: where the parts of a file that the contents have belong.

use super::block::BLOCK;
use super::header::{GNU_MAP, Header, MORE_IN_MAP, number};
use crate::Error;

const DAMAGED: Error = Error::BadTar("a sparse map is damaged");

/// The offsets and lengths in an old GNU header and in the blocks behind it.
pub(super) fn old_map(header: &Header, more: &[u8]) -> Result<Vec<u64>, Error> {
    let own = header.as_bytes().get(GNU_MAP).unwrap_or_default();
    let more = more
        .chunks(BLOCK)
        .filter_map(|block| block.get(..MORE_IN_MAP));
    let fields = own
        .chunks(12)
        .chain(more.flat_map(|block| block.chunks(12)));
    fields.map(|field| number(field).ok_or(DAMAGED)).collect()
}

/// Refuses parts that overlap or stand in another order than in the file, whose texts would not be the contents'.
pub(super) fn check(map: &[u64]) -> Result<(), Error> {
    let (parts, rest) = map.as_chunks::<2>();
    let mut end = 0u64;
    // Empty parts fill up headers.
    for [offset, length] in parts.iter().filter(|[_, length]| *length > 0) {
        if *offset < end {
            return Err(Error::BadTar(
                "parts of a sparse file overlap or are out of order",
            ));
        }
        end = offset.checked_add(*length).ok_or(DAMAGED)?;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(DAMAGED)
    }
}

/// Whether the map at the beginning of contents (GNU tar, "PAX Format, Version 1.0") is whole in `start`, and right.
pub(super) fn is_right(start: &[u8]) -> bool {
    let mut lines = start.split(|byte| *byte == b'\n');
    let mut number = || {
        let line = lines.next().filter(|line| line.len() < 20)?;
        let text = std::str::from_utf8(line).ok()?;
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u64>().ok())?
    };
    let Some(parts) = number().filter(|parts| *parts < start.len() as u64) else {
        return false;
    };
    let map: Option<Vec<u64>> = (0..2 * parts).map(|_| number()).collect();
    map.is_some_and(|map| check(&map).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_order_and_apart() {
        for right in [
            &[][..],
            &[0, 512, 1024, 8, 4096, 0],
            &[0, 4, 4, 4],
            &[8, 1, 0, 0],
        ] {
            assert!(check(right).is_ok(), "{right:?}");
        }
        for wrong in [
            &[512, 8, 0, 8][..],
            &[0, 9, 8, 8],
            &[u64::MAX, 2],
            &[1, 2, 3],
        ] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_map_in_the_contents_is_read_to_its_end() {
        assert!(is_right(b"2\n0\n512\n4096\n8\n\0\0text"));
        assert!(is_right(b"0\n\0\0"));
        for wrong in [
            &b"2\n4096\n8\n0\n512\n\0"[..],
            b"2\n0\n512\n",
            b"x\n",
            b"",
            b"99999\n0\n1\n",
        ] {
            assert!(!is_right(wrong), "{}", wrong.escape_ascii());
        }
    }
}
