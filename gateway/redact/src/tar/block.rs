//! The blocks that a tar archive consists of.

use std::io::BufRead;

use crate::Error;
use crate::stream::{is_at_end, read_exact};

/// Bytes of one block (POSIX.1, pax).
pub(crate) const BLOCK: usize = 512;

/// The number of bytes that fill up the last block of `size` bytes.
pub(crate) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

/// The next block; `None` at the end of `input`.
pub(super) fn read_block(input: &mut dyn BufRead) -> Result<Option<[u8; BLOCK]>, Error> {
    if is_at_end(input)? {
        return Ok(None);
    }
    let mut block = [0; BLOCK];
    read_exact(input, &mut block)?;
    Ok(Some(block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_fills_the_last_block() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
