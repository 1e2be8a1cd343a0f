//! The runtime that a node claims to be.

/// The runtime whose archives a node writes: it determines the members and their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// containerd's archives.
    #[default]
    Containerd,
    /// CRI-O's archives.
    CriO,
}

/// The name, version and dialect that a node reports and writes into archives.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    pub(crate) runtime: String,
    pub(crate) version: String,
    pub(crate) dialect: Dialect,
}
