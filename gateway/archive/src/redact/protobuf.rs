//! As much of protobuf's wire format as CRIU's images need: numbers and lengths, without a schema.

/// The fields of one message, in order; ends early, with [`None`] as the last item, where the bytes are no message.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

/// A field's number and, where it is a varint, its value.
pub(super) type Field = (u64, Option<u64>);

/// The fields of `message`.
pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

impl Iterator for Fields<'_> {
    type Item = Option<Field>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = field(&mut self.rest);
        if field.is_none() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn field(rest: &mut &[u8]) -> Option<Field> {
    let tag = varint(rest)?;
    let value = match tag & 7 {
        0 => return Some((tag >> 3, Some(varint(rest)?))),
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        5 => 4,
        _ => return None,
    };
    rest.split_off(..value)?;
    Some((tag >> 3, None))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *rest.split_off_first()?;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_walked_by_number_and_length() {
        let message = [0x08, 0x96, 0x01, 0x12, 2, 0xff, 0xff, 0x1d, 1, 2, 3, 4, 0x20, 7];
        let read: Vec<_> = fields(&message).collect();
        assert_eq!(read, [Some((1, Some(150))), Some((2, None)), Some((3, None)), Some((4, Some(7)))]);
    }

    proptest! {
        #[test]
        fn garbage_ends(message in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(fields(&message).count() <= message.len());
        }
    }
}
