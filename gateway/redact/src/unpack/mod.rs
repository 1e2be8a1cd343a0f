//! Unpacks compressed contents with bounded memory: what a format is, its first bytes decide, never a name.
//!
//! Readers return [`io::ErrorKind::UnexpectedEof`](std::io::ErrorKind) where the contents break off, `InvalidData` where they
//! are damaged, `Unsupported` for a method that is not known, and `OutOfMemory` for a window that is too large.

mod bits;
mod bzip2;
mod decoder;
mod density;
mod format;
mod gzip;
mod huffman;
mod inflate;
mod lz4;
mod source;
mod texts;
mod xz;
pub(crate) mod zip;
mod zstd;

pub(crate) use decoder::Decoder;
pub(crate) use density::Parts;
pub(crate) use format::{Format, START};
pub(crate) use inflate::Inflate;
pub(crate) use lz4::unpack_block;
pub(crate) use source::{Progress, Source};
pub(crate) use texts::Texts;
