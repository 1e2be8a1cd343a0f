//! Writes CRIU's image format: one or two magic numbers, then protobuf messages, each after its length. The numbers are
//! those of CRIU 4.2.1.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use prost::Message;

/// The first four bytes of nearly every image; the next four identify its kind.
const COMMON: u32 = 0x5456_4319;
/// The first four bytes of an image about the dump itself.
const SERVICE: u32 = 0x5510_5940;

/// The content of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Inventory,
    ProcessTree,
    Core,
    Memory,
    PageMap,
    Files,
    Descriptors,
    Folders,
    Ids,
    Stats,
}

/// An image that is being written, entry by entry.
#[derive(Debug)]
pub(crate) struct Image(BufWriter<File>);

impl Kind {
    fn magic(self) -> Vec<u32> {
        match self {
            // The inventory is older than the common magic.
            Self::Inventory => vec![0x5831_3116],
            Self::ProcessTree => vec![COMMON, 0x5027_3030],
            Self::Core => vec![COMMON, 0x5505_3847],
            Self::Memory => vec![COMMON, 0x5749_2820],
            Self::PageMap => vec![COMMON, 0x5608_4025],
            Self::Files => vec![COMMON, 0x5630_3138],
            Self::Descriptors => vec![COMMON, 0x5621_3732],
            Self::Folders => vec![COMMON, 0x5140_3912],
            Self::Ids => vec![COMMON, 0x5443_2030],
            Self::Stats => vec![SERVICE, 0x5709_3306],
        }
    }
}

impl Image {
    pub(crate) fn create(path: &Path, kind: Kind) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create_new(path)?);
        for magic in kind.magic() {
            out.write_all(&magic.to_le_bytes())?;
        }
        Ok(Self(out))
    }

    pub(crate) fn entry(&mut self, entry: &impl Message) -> io::Result<()> {
        let bytes = entry.encode_to_vec();
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.0.write_all(&length.to_le_bytes())?;
        self.0.write_all(&bytes)
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }

    /// Writes an image of one entry.
    pub(crate) fn write(path: &Path, kind: Kind, entry: &impl Message) -> io::Result<()> {
        let mut image = Self::create(path, kind)?;
        image.entry(entry)?;
        image.finish()
    }
}
