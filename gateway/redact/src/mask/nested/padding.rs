//! Brings contents that were packed again to their old length.

use crate::mask::spool::Stored;
use crate::unpack::Format;

/// Gzip's flag for a comment in the header.
const COMMENT: u8 = 16;
const GZIP_FLAGS: usize = 3;
/// Bytes before the contents of a skippable frame of Zstandard.
const SKIPPABLE: u64 = 8;
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;

/// Fills `written` up to `size` bytes with what readers of `format` pass over; `None` if that cannot be done.
pub(super) fn pad(format: Format, mut written: Stored, size: u64) -> Option<Stored> {
    let gap = size.checked_sub(written.size)?;
    match format {
        _ if gap == 0 => {}
        Format::Tar => written.zeros += gap,
        Format::Gzip => {
            *written.front.get_mut(GZIP_FLAGS)? |= COMMENT;
            let spaces = usize::try_from(gap.checked_sub(1)?).ok()?;
            if spaces > MAX_COMMENT {
                return None;
            }
            written.front.resize(written.front.len() + spaces, b' ');
            written.front.push(0);
        }
        Format::Zstd => {
            let length = u32::try_from(gap.checked_sub(SKIPPABLE)?).ok()?;
            written.tail.extend(SKIPPABLE_MAGIC.to_le_bytes());
            written.tail.extend(length.to_le_bytes());
            written.zeros += u64::from(length);
        }
        // Its writer has filled the comment.
        _ => return None,
    }
    written.size = size;
    Some(written)
}

/// The longest comment that is written into gzip's header, in bytes.
const MAX_COMMENT: usize = 1 << 20;
