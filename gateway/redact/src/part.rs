//! The members of a checkpoint that inspection and findings read.

use crate::content::number;

/// A member that inspection and findings read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Config,
    Spec,
    DumpLog,
    RootfsDiff,
    Inventory,
    Tree,
    /// `core-PID.img`.
    Core(u64),
    /// `mm-PID.img`.
    AddressSpace(u64),
    /// `pagemap-PID.img`.
    PageMap(u64),
    /// `pages-ID.img`.
    Pages(u64),
    /// `ids-PID.img`: the numbers of what a process shares with others.
    Ids(u64),
    /// `fs-PID.img`: working and root directory.
    Folders(u64),
    /// `fdinfo-ID.img`: a table of descriptors.
    Descriptors(u64),
    /// `files.img`: what descriptors refer to.
    Files,
    /// `stats-dump`.
    Statistics,
}

impl Part {
    /// By the normalized name.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"config.dump" => Some(Self::Config),
            b"spec.dump" => Some(Self::Spec),
            b"dump.log" => Some(Self::DumpLog),
            b"rootfs-diff.tar" => Some(Self::RootfsDiff),
            b"stats-dump" => Some(Self::Statistics),
            _ => Self::of_image(name.strip_prefix(b"checkpoint/")?.strip_suffix(b".img")?),
        }
    }

    fn of_image(stem: &[u8]) -> Option<Self> {
        let numbered = |prefix: &[u8]| number(stem.strip_prefix(prefix)?);
        match stem {
            b"inventory" => Some(Self::Inventory),
            b"pstree" => Some(Self::Tree),
            b"files" => Some(Self::Files),
            _ => numbered(b"core-")
                .map(Self::Core)
                .or_else(|| numbered(b"mm-").map(Self::AddressSpace))
                .or_else(|| numbered(b"pagemap-").map(Self::PageMap))
                .or_else(|| numbered(b"pages-").map(Self::Pages))
                .or_else(|| numbered(b"ids-").map(Self::Ids))
                .or_else(|| numbered(b"fs-").map(Self::Folders))
                .or_else(|| numbered(b"fdinfo-").map(Self::Descriptors)),
        }
    }
}

impl std::fmt::Display for Part {
    /// The member's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config => f.write_str("config.dump"),
            Self::Spec => f.write_str("spec.dump"),
            Self::DumpLog => f.write_str("dump.log"),
            Self::RootfsDiff => f.write_str("rootfs-diff.tar"),
            Self::Inventory => f.write_str("checkpoint/inventory.img"),
            Self::Tree => f.write_str("checkpoint/pstree.img"),
            Self::Core(pid) => write!(f, "checkpoint/core-{pid}.img"),
            Self::AddressSpace(pid) => write!(f, "checkpoint/mm-{pid}.img"),
            Self::PageMap(pid) => write!(f, "checkpoint/pagemap-{pid}.img"),
            Self::Pages(id) => write!(f, "checkpoint/pages-{id}.img"),
            Self::Ids(pid) => write!(f, "checkpoint/ids-{pid}.img"),
            Self::Folders(pid) => write!(f, "checkpoint/fs-{pid}.img"),
            Self::Descriptors(id) => write!(f, "checkpoint/fdinfo-{id}.img"),
            Self::Files => f.write_str("checkpoint/files.img"),
            Self::Statistics => f.write_str("stats-dump"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parts_correspond() {
        use Part::*;
        let parts = [
            Config, Spec, DumpLog, RootfsDiff, Inventory, Tree, Files, Statistics,
        ];
        let numbered = [Core(7), AddressSpace(7), PageMap(7), Pages(1)];
        let shared = [Ids(7), Folders(7), Descriptors(2)];
        for part in parts.into_iter().chain(numbered).chain(shared) {
            assert_eq!(Part::of(part.to_string().as_bytes()), Some(part));
        }
        for name in [
            "",
            "checkpoint/core-.img.img",
            "checkpoint/core-x.img",
            "checkpoint/core-07.img",
            "x/spec.dump",
            "checkpoint/pagemap-shmem-1.img",
        ] {
            assert_eq!(Part::of(name.as_bytes()), None, "{name}");
        }
    }
}
