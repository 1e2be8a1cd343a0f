//! What each member of a checkpoint holds, by its name.

use gateway_core::Place;

use crate::criu::Source;

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
    /// Another image of CRIU, of protobuf messages: searched as bytes and as numbers.
    Numbers(Source),
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
        if stem.starts_with(b"ghost-file-") {
            // The contents of files that were deleted while open.
            return Self::Bytes(&[Place::Files, Place::Memory]);
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

    /// Images whose entries have raw contents between them hold a process's bytes as they are.
    fn of_messages(stem: &[u8]) -> Self {
        const RAW: [&[u8]; 14] = [
            b"pipes-data",
            b"fifo-data",
            b"sk-queues",
            b"ipcns-shm",
            b"ipcns-sem",
            b"bpfmap-data",
            b"ifaddr",
            b"route",
            b"rule",
            b"iptables",
            b"ip6tables",
            b"nftables",
            b"pagemap-",
            b"pages-",
        ];
        if RAW.iter().any(|kind| stem.starts_with(kind)) {
            return Self::Bytes(&[Place::Memory]);
        }
        Self::Numbers(Source::of(stem))
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
            Self::Numbers(source) => source.must_be_readable(),
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
/// CRIU's images, without their numbers (`criu/image-desc.c`).
const IMAGES: [&[u8]; 84] = [
    b"apparmor",
    b"autofs",
    b"binfmt-misc",
    b"bpfmap-data",
    b"bpfmap-file",
    b"cgroup",
    b"cipher",
    b"core",
    b"cpuinfo",
    b"creds",
    b"eventfd",
    b"eventpoll",
    b"eventpoll-tfd",
    b"ext-files",
    b"fanotify",
    b"fanotify-mark",
    b"fdinfo",
    b"fifo",
    b"fifo-data",
    b"filelocks",
    b"files",
    b"fs",
    b"ghost-file",
    b"ids",
    b"ifaddr",
    b"inetsk",
    b"inotify",
    b"inotify-wd",
    b"inventory",
    b"ip6tables",
    b"ipcns-msg",
    b"ipcns-sem",
    b"ipcns-shm",
    b"ipcns-var",
    b"iptables",
    b"irmap-cache",
    b"itimers",
    b"memfd",
    b"mm",
    b"mountpoints",
    b"netdev",
    b"netlinksk",
    b"netns",
    b"netns-ct",
    b"netns-exp",
    b"nftables",
    b"ns-files",
    b"packetsk",
    b"pagemap",
    b"pagemap-shmem",
    b"pages",
    b"pages-shmem",
    b"pidfd",
    b"pidns",
    b"pipes",
    b"pipes-data",
    b"posix-timers",
    b"pstree",
    b"reg-files",
    b"remap-fpath",
    b"rlimit",
    b"route",
    b"route6",
    b"rule",
    b"seccomp",
    b"sigacts",
    b"signal-p",
    b"signal-s",
    b"signalfd",
    b"sk-queues",
    b"stats-dump",
    b"tcp-stream",
    b"timens",
    b"timerfd",
    b"tmpfs",
    b"tmpfs-dev",
    b"tty",
    b"tty-data",
    b"tty-info",
    b"tunfile",
    b"unixsk",
    b"userns",
    b"utsns",
    b"vmas",
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
    let kind = match stem.iter().rposition(|byte| *byte == b'-') {
        Some(at) if is_short_number(stem.get(at + 1..)) => stem.get(..at).unwrap_or_default(),
        _ => stem,
    };
    IMAGES.contains(&kind)
}

/// Digits as CRIU numbers its images: decimal, or up to eight hexadecimal ones.
fn is_short_number(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| match digits.len() {
        1..=8 => digits.iter().all(u8::is_ascii_hexdigit),
        9..=20 => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    })
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
        for (name, content) in [
            ("spec.dump", Content::Document),
            ("checkpoint/pages-12.img", Content::Pages(12)),
            ("checkpoint/mm-7.img", Content::AddressSpace(7)),
            ("checkpoint/pagemap-7.img", Content::PageMap(7)),
            ("checkpoint/pagemap-shmem-7.img", Content::SharedPageMap),
            ("checkpoint/core-7.img", Content::Numbers(Source::Core)),
            ("checkpoint/files.img", Content::Numbers(Source::Files)),
            ("checkpoint/fs-7.img", Content::Numbers(Source::Other)),
            (
                "checkpoint/pipes-data.img",
                Content::Bytes(&[Place::Memory]),
            ),
            ("checkpoint/tmpfs-dev-64.tar.gz.img", Content::Tmpfs),
            (
                "checkpoint/ghost-file-1.img",
                Content::Bytes(&[Place::Files, Place::Memory]),
            ),
            ("checkpoint/cgroup", Content::Unknown),
            ("x/spec.dump", Content::Unknown),
            ("status", Content::Unknown),
            ("", Content::Unknown),
        ] {
            assert_eq!(Content::of(name.as_bytes()), content, "{name}");
        }
    }
}
