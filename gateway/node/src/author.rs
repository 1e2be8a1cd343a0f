//! The runtime that a node claims to be.

/// The runtime that a node imitates: its archives' members and their order, and its manner of taking checkpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The container goes on as soon as its memory is copied. A caller that goes away ends the checkpoint.
    #[default]
    Containerd,
    /// The container stays paused until its archive is written. A caller that goes away changes nothing. The memory lies in
    /// `userdata/checkpoint` meanwhile, and stays there if the archive could not be written.
    CriO,
}

/// The name, version and dialect that a node reports and writes into archives.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    pub(crate) runtime: String,
    pub(crate) version: String,
    pub(crate) dialect: Dialect,
}
