//! The part of protobuf's wire format that CRIU's images need: numbers and texts, without a schema.

/// The fields of one message, in order. Where the bytes are not a message, the last item is [`None`].
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// A field's number and its value.
pub(crate) type Field<'a> = (u64, Value<'a>);

/// A field's value, as far as the wire format shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A varint.
    Number(u64),
    /// A text, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Four or eight bytes; no field that is read here has this type.
    Fixed,
}

/// The fields of `message`.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

impl Fields<'_> {
    /// Bytes behind the last field that was read.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<Field<'a>>;

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

fn field<'a>(rest: &mut &'a [u8]) -> Option<Field<'a>> {
    // Fields are numbered from 1 on.
    let tag = varint(rest).filter(|tag| tag >> 3 != 0)?;
    let value = match tag & 7 {
        0 => Value::Number(varint(rest)?),
        1 => rest.split_off(..8).map(|_| Value::Fixed)?,
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Value::Bytes(rest.split_off(..length)?)
        }
        5 => rest.split_off(..4).map(|_| Value::Fixed)?,
        _ => return None,
    };
    Some((tag >> 3, value))
}

/// The first number in the field `wanted` of `message`, as far as that can be read.
pub(crate) fn number_in(message: &[u8], wanted: u64) -> Option<u64> {
    let mut all = fields(message).map_while(|field| field);
    all.find_map(|field| match field {
        (number, Value::Number(value)) if number == wanted => Some(value),
        _ => None,
    })
}

/// The first text or message in the field `wanted` of `message`, as far as that can be read.
pub(crate) fn bytes_in(message: &[u8], wanted: u64) -> Option<&[u8]> {
    let mut all = fields(message).map_while(|field| field);
    all.find_map(|field| match field {
        (number, Value::Bytes(bytes)) if number == wanted => Some(bytes),
        _ => None,
    })
}

/// The first `most` numbers in the repeated field `wanted` of `message`, packed or not.
pub(crate) fn numbers_in(message: &[u8], wanted: u64, most: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    for (number, value) in fields(message).map_while(|field| field) {
        match value {
            Value::Number(value) if number == wanted => numbers.push(value),
            Value::Bytes(mut packed) if number == wanted => {
                while numbers.len() < most
                    && let Some(value) = varint(&mut packed)
                {
                    numbers.push(value);
                }
            }
            _ => {}
        }
        if numbers.len() >= most {
            break;
        }
    }
    numbers
}

/// Reads one number and advances `rest`.
pub(crate) fn varint(rest: &mut &[u8]) -> Option<u64> {
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
    fn reads_fields_by_number_and_length() {
        let message = [
            0x08, 0x96, 0x01, 0x12, 2, 0xff, 0xff, 0x1d, 1, 2, 3, 4, 0x20, 7,
        ];
        let read: Vec<_> = fields(&message).collect();
        let values = [
            Value::Number(150),
            Value::Bytes(&[0xff, 0xff]),
            Value::Fixed,
            Value::Number(7),
        ];
        assert_eq!(
            read,
            [1, 2, 3, 4]
                .into_iter()
                .zip(values)
                .map(Some)
                .collect::<Vec<_>>()
        );
    }

    proptest! {
        #[test]
        fn ends_on_garbage(message in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(fields(&message).count() <= message.len());
        }
    }
}
