//! One reading of a part of an archive.

/// Bytes, and how they were come by: a member's name, and what was undone.
pub struct View {
    pub name: String,
    pub bytes: Vec<u8>,
}
