//! What each member of a checkpoint holds, by its name.

use gateway_core::Place;

use crate::criu::{Form, ImageKind};

/// The container's changed files.
pub(crate) const ROOTFS_DIFF: &[u8] = b"rootfs-diff.tar";

/// All places, for members that cannot be told apart: no rule may miss them.
pub(crate) const EVERYWHERE: &[Place] = &[Place::Spec, Place::Memory, Place::Logs, Place::Files];

/// A member's contents, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The runtime's JSON.
    Document,
    /// `pages-ID.img`.
    Pages(u64),
    /// `mm-PID.img`.
    AddressSpace(u64),
    /// `pagemap-PID.img`.
    PageMap(u64),
    /// `pagemap-shmem-ID.img`, of memory that processes share.
    SharedPageMap,
    /// Another image of CRIU, of messages: their texts and numbers are searched, and what stands between them.
    Image(&'static ImageKind),
    /// Plain bytes, searched under the rules of these places.
    Bytes(&'static [Place]),
    /// [`ROOTFS_DIFF`], compressed or not.
    RootfsDiff,
    /// `tmpfs-dev-ID.tar.gz.img`.
    Tmpfs,
    /// Unknown: searched under every rule, as JSON if it is JSON.
    Unknown,
}

impl Content {
    /// By the normalized name.
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"spec.dump" | b"config.dump" => Self::Document,
            b"container.log" | b"dump.log" | b"stats-dump" | b"io.kubernetes.cri-o.LogPath" => {
                Self::Bytes(&[Place::Logs])
            }
            ROOTFS_DIFF => Self::RootfsDiff,
            _ => name
                .strip_prefix(b"checkpoint/")
                .map_or(Self::Unknown, Self::of_image),
        }
    }

    fn of_image(name: &[u8]) -> Self {
        let Some(stem) = name.strip_suffix(b".img") else {
            return Self::Unknown;
        };
        // Older versions of CRIU leave out `dev-`.
        if stem.starts_with(b"tmpfs-") && stem.ends_with(b".tar.gz") {
            return Self::Tmpfs;
        }
        let numbered = |prefix: &[u8]| number(stem.strip_prefix(prefix)?);
        let pages = numbered(b"pages-").map(Self::Pages);
        let space = || numbered(b"mm-").map(Self::AddressSpace);
        let map = || numbered(b"pagemap-").map(Self::PageMap);
        let shared = || numbered(b"pagemap-shmem-").map(|_| Self::SharedPageMap);
        pages
            .or_else(space)
            .or_else(map)
            .or_else(shared)
            .unwrap_or_else(|| Self::of_messages(stem))
    }

    fn of_messages(stem: &[u8]) -> Self {
        let kind = ImageKind::of(stem).unwrap_or(ImageKind::unknown());
        match kind.form {
            Form::Plain | Form::Pages | Form::Archive => Self::Bytes(&[Place::Memory]),
            Form::Messages | Form::Contents(_) | Form::AddressSpace | Form::PageMap => {
                Self::Image(kind)
            }
        }
    }

    /// Whether redaction may change the member's length: it is an archive that tar unpacks at restore. CRIU maps or checks
    /// the length of everything else.
    pub(crate) fn has_free_length(self) -> bool {
        matches!(self, Self::RootfsDiff | Self::Tmpfs)
    }

    /// The places whose rules search what is unpacked of it. A name that does not fit its contents tells nothing.
    pub(crate) fn places_inside(self) -> &'static [Place] {
        match self {
            Self::RootfsDiff | Self::Tmpfs => &[Place::Files],
            _ => EVERYWHERE,
        }
    }

    /// The depth at which its contents stand: archives that tar unpacks at restore do not count as a level.
    pub(crate) fn depth(self) -> usize {
        usize::from(!self.has_free_length())
    }

    /// Whether a member that has to be written anew must keep its length: CRIU may map or check it.
    pub(crate) fn has_fixed_length(self, name: &[u8]) -> bool {
        !self.has_free_length() && name.starts_with(b"checkpoint/")
    }

    /// Whether redaction depends on positions in the contents.
    pub(crate) fn has_structure(self) -> bool {
        match self {
            Self::Bytes(_) | Self::Unknown => false,
            Self::Image(kind) => kind.must_be_readable(),
            _ => true,
        }
    }
}

/// Members of the archive that runtimes write, beside images.
const DOCUMENTS: [&[u8]; 14] = [
    b"bind.mounts",
    b"checkpoint",
    b"config.dump",
    b"container.log",
    b"deleted.files",
    b"descriptors.json",
    b"dump.log",
    b"io.kubernetes.cri-o.LogPath",
    b"network.status",
    ROOTFS_DIFF,
    b"spec.dump",
    b"stats-dump",
    b"status",
    b"status.dump",
];
/// Whether a runtime or CRIU gives this name, so that it holds nothing of the workload's but numbers.
pub(crate) fn is_known_name(name: &[u8]) -> bool {
    let Some(image) = name.strip_prefix(b"checkpoint/") else {
        return name.is_empty() || DOCUMENTS.contains(&name);
    };
    let Some(stem) = image.strip_suffix(b".img") else {
        return DOCUMENTS.contains(&image);
    };
    let stem = stem.strip_suffix(b".tar.gz").unwrap_or(stem);
    ImageKind::of(stem).is_some()
}

/// Whether a file that begins with these bytes is compressed with gzip (RFC 1952).
pub(crate) fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
}

/// A number as CRIU writes it into names: it opens no `core-01.img`.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let padded = digits.len() > 1 && digits.starts_with(b"0");
    let plain = !padded && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| plain)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_members_apart() {
        let image = |kind: &str| Content::Image(ImageKind::of(kind.as_bytes()).unwrap());
        for (name, content) in [
            ("spec.dump", Content::Document),
            ("checkpoint/pages-12.img", Content::Pages(12)),
            ("checkpoint/mm-7.img", Content::AddressSpace(7)),
            ("checkpoint/pagemap-7.img", Content::PageMap(7)),
            ("checkpoint/pagemap-shmem-7.img", Content::SharedPageMap),
            ("checkpoint/core-7.img", image("core")),
            ("checkpoint/pipes-data.img", image("pipes-data")),
            (
                "checkpoint/iptables-9.img",
                Content::Bytes(&[Place::Memory]),
            ),
            ("checkpoint/new-7.img", Content::Image(ImageKind::unknown())),
            ("checkpoint/tmpfs-dev-64.tar.gz.img", Content::Tmpfs),
            ("checkpoint/ghost-file-1.img", image("ghost-file")),
            ("checkpoint/cgroup", Content::Unknown),
            ("x/spec.dump", Content::Unknown),
            ("status", Content::Unknown),
            ("", Content::Unknown),
        ] {
            assert_eq!(Content::of(name.as_bytes()), content, "{name}");
        }
    }
}
