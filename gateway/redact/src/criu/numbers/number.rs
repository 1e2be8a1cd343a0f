//! One number of an image, and its bytes.

use super::role::Role;

/// A number where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    /// The position in the image.
    pub(super) at: usize,
    /// The number of bytes in the image.
    pub(super) length: usize,
    pub(super) is_varint: bool,
    /// The value, little-endian.
    pub(super) value: [u8; 8],
    /// Which bytes of the value are masked.
    pub(super) masked: [bool; 8],
    pub(crate) role: Role,
}

impl Number {
    pub(super) fn new(at: usize, length: usize, value: u64, role: Role) -> Self {
        Self {
            at,
            length,
            is_varint: true,
            value: value.to_le_bytes(),
            masked: [false; 8],
            role,
        }
    }

    /// A number of as many bytes as it has in the image, at most eight.
    pub(super) fn fixed(at: usize, bytes: &[u8], role: Role) -> Self {
        let mut value = [0; 8];
        value
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        Self {
            is_varint: false,
            ..Self::new(at, bytes.len().min(8), u64::from_le_bytes(value), role)
        }
    }

    /// A byte of the value, from the lowest on.
    pub(crate) fn byte(&self, byte: usize) -> u8 {
        self.value.get(byte).copied().unwrap_or_default()
    }

    /// Overwrites a byte of the value.
    pub(crate) fn mask(&mut self, byte: usize, mask: u8) {
        if let (Some(value), Some(masked)) = (self.value.get_mut(byte), self.masked.get_mut(byte)) {
            (*value, *masked) = (mask, true);
        }
    }

    /// Whether the upper end of its lowest four bytes, or anything above, is in use.
    pub(super) fn is_large(&self) -> bool {
        u64::from_le_bytes(self.value) >= 1 << 24
    }

    pub(crate) fn is_masked(&self) -> bool {
        self.masked.contains(&true)
    }

    /// Writes the number into the image, in its old length.
    pub(crate) fn write(&self, image: &mut [u8]) -> Option<()> {
        let place = image.get_mut(self.at..self.at.checked_add(self.length)?)?;
        if !self.is_varint {
            place.copy_from_slice(self.value.get(..self.length)?);
            return Some(());
        }
        let mut rest = self.fitted(is_shortest(place));
        for (at, byte) in place.iter_mut().enumerate() {
            let more = at + 1 < self.length;
            *byte = u8::try_from(rest & 0x7f).ok()? | if more { 0x80 } else { 0 };
            rest >>= 7;
        }
        (rest == 0).then_some(())
    }

    /// The value such that its varint has the old length: without the bits for which there is no place, which were unset before,
    /// and with one that makes it long enough, where the mask has none. Both are bits of masked bytes.
    fn fitted(&self, shortest: bool) -> u64 {
        let value = u64::from_le_bytes(self.value);
        let bits = 7 * u32::try_from(self.length).unwrap_or(u32::MAX).min(10);
        let value = if bits < 64 {
            value & ((1 << bits) - 1)
        } else {
            value
        };
        let least = bits.saturating_sub(7);
        if !shortest || least == 0 || value >> least != 0 {
            return value;
        }
        // The highest masked byte held the highest bit, at `least` or above it.
        let top = self.masked.iter().rposition(|masked| *masked);
        let top = top
            .and_then(|top| u32::try_from(top * 8).ok())
            .unwrap_or_default();
        value | 1 << least.max(top.min(bits.saturating_sub(1)))
    }
}

/// Whether a varint has no byte that it does not need.
fn is_shortest(varint: &[u8]) -> bool {
    varint.len() == 1 || varint.last() != Some(&0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn varint(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
        bytes
    }

    fn value(bytes: &[u8]) -> u64 {
        let groups = bytes.iter().rev();
        groups.fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }

    proptest! {
        #[test]
        fn a_masked_varint_keeps_its_length_and_its_other_bytes(
            number in any::<u64>(),
            shift in 0u32..64,
            chosen in any::<[bool; 8]>(),
            mask in 0x21u8..0x7f,
            padding in 0usize..3,
        ) {
            let number = number >> shift;
            let mut image = varint(number);
            // A writer may use more bytes than it needs.
            if padding > 0 && image.len() + padding <= 10 {
                *image.last_mut().unwrap() |= 0x80;
                image.resize(image.len() + padding, 0x80);
                *image.last_mut().unwrap() = 0;
            }
            let (length, shortest) = (image.len(), is_shortest(&image));
            let mut it = Number::new(0, length, number, Role::Free);
            // No byte above the value's own can be part of a secret's piece.
            let bytes = 8 - (number.leading_zeros() / 8) as usize;
            (0..bytes).filter(|byte| chosen[*byte]).for_each(|byte| it.mask(byte, mask));
            prop_assert_eq!(it.write(&mut image), Some(()));
            prop_assert_eq!(image.len(), length);
            prop_assert!(image[..length - 1].iter().all(|byte| byte & 0x80 != 0));
            prop_assert!(image[length - 1] & 0x80 == 0);
            let after = value(&image);
            prop_assert!(is_shortest(&image) || !shortest);
            let pairs = after.to_le_bytes().into_iter().zip(number.to_le_bytes());
            for (byte, (new, old)) in pairs.enumerate() {
                if byte >= bytes || !chosen[byte] {
                    prop_assert_eq!(new, old, "{}", byte);
                } else {
                    // All but the bits that the length allows is the mask, and at most one bit that it needs.
                    prop_assert!((new & !mask).count_ones() <= 1);
                }
            }
        }
    }
}
