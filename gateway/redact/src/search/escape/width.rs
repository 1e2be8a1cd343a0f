//! Texts of one, two and four bytes for each character.

/// How a text keeps its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Width {
    /// Bytes, such as UTF-8.
    Bytes,
    Utf16Little,
    Utf16Big,
    Utf32Little,
    Utf32Big,
}

/// One character or byte of a text, as it stands there or as an escape that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// Where it ends in the text.
    pub(super) end: usize,
    bytes: [u8; 4],
    length: usize,
}

impl Width {
    pub(super) const WIDE: [Self; 4] = [
        Self::Utf16Little,
        Self::Utf16Big,
        Self::Utf32Little,
        Self::Utf32Big,
    ];

    /// The bytes of one unit.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Utf16Little | Self::Utf16Big => 2,
            Self::Utf32Little | Self::Utf32Big => 4,
        }
    }

    /// The byte, or the character, that stands at `at` as itself.
    pub(super) fn read(self, text: &[u8], at: usize) -> Option<Reading> {
        if self == Self::Bytes {
            return text.get(at).map(|&byte| Reading::byte(at + 1, byte));
        }
        let first = self.unit(text, at)?;
        let end = at + self.bytes();
        let number = match first {
            0xd800..=0xdbff if self.bytes() == 2 => {
                let second = self.unit(text, end)?;
                return join_surrogates(first, second)
                    .map(|character| Reading::character(end + 2, character));
            }
            other => other,
        };
        char::from_u32(number).map(|character| Reading::character(end, character))
    }

    /// `text` as it is kept.
    pub(super) fn write(self, text: &str) -> Vec<u8> {
        match self {
            Self::Bytes => text.as_bytes().to_vec(),
            Self::Utf16Little => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Big => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Utf32Little => text
                .chars()
                .flat_map(|it| u32::from(it).to_le_bytes())
                .collect(),
            Self::Utf32Big => text
                .chars()
                .flat_map(|it| u32::from(it).to_be_bytes())
                .collect(),
        }
    }

    fn unit(self, text: &[u8], at: usize) -> Option<u32> {
        let rest = text.get(at..)?;
        match self {
            Self::Bytes => rest.first().map(|&byte| byte.into()),
            Self::Utf16Little => rest.first_chunk().map(|it| u16::from_le_bytes(*it).into()),
            Self::Utf16Big => rest.first_chunk().map(|it| u16::from_be_bytes(*it).into()),
            Self::Utf32Little => rest.first_chunk().map(|it| u32::from_le_bytes(*it)),
            Self::Utf32Big => rest.first_chunk().map(|it| u32::from_be_bytes(*it)),
        }
    }
}

impl Reading {
    pub(super) fn byte(end: usize, byte: u8) -> Self {
        Self {
            end,
            bytes: [byte, 0, 0, 0],
            length: 1,
        }
    }

    pub(super) fn character(end: usize, character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { end, bytes, length }
    }

    /// The bytes that it stands for: one, or a character in UTF-8.
    pub(super) fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The byte, if it is a single one.
    pub(super) fn single(&self) -> Option<u8> {
        match self.text() {
            [byte] => Some(*byte),
            _ => None,
        }
    }
}

/// The character that two units of UTF-16 stand for.
pub(super) fn join_surrogates(high: u32, low: u32) -> Option<char> {
    let (0xd800..=0xdbff, 0xdc00..=0xdfff) = (high, low) else {
        return None;
    };
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}
