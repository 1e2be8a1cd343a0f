//! The kinds of CRIU's images: what stands in each, and which of its fields are texts.
//!
//! From CRIU's `criu/image-desc.c` and `images/*.proto`. `docs/redaction.md` lists every kind for readers.

/// A kind of image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ImageKind {
    /// The name, without a number and without `.img`.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// Fields that are texts or bytes, whatever stands in them.
    texts: &'static [(&'static [u64], Text)],
}

/// The contents of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Messages alone.
    Messages,
    /// Messages with plain contents between them.
    Contents(Behind),
    /// `mm-PID.img`.
    AddressSpace,
    /// `pagemap-PID.img`, and those of shared memory.
    PageMap,
    /// `pages-ID.img`: memory as it is.
    Pages,
    /// Plain bytes without any message.
    Plain,
    /// A compressed tar archive.
    Archive,
}

/// The length of the contents behind a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// The sum of these fields.
    Sum(&'static [u64]),
    /// A segment of shared memory: as its size says, if it is not among the pages.
    SharedMemory,
    /// Two bytes for each semaphore.
    Semaphores,
    /// A message of a queue. Whether an entry is one, the entry before it says.
    QueuedMessage,
    /// A deleted file, whole or in pieces.
    File,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Masked where something is found in it.
    Free,
    /// The name of a file, a socket or a mount.
    Path,
    /// A program for the kernel: refused where something is found in it.
    Kept,
    /// A signal as the kernel has it.
    Signal,
}

use Text::{Free, Kept, Path, Signal};

const fn messages(name: &'static str) -> ImageKind {
    with_texts(name, &[])
}

const fn with_texts(name: &'static str, texts: &'static [(&'static [u64], Text)]) -> ImageKind {
    ImageKind {
        name,
        form: Form::Messages,
        texts,
    }
}

const fn of_form(name: &'static str, form: Form) -> ImageKind {
    ImageKind {
        name,
        form,
        texts: &[],
    }
}

/// Settings of a network namespace, and the name of one from outside.
const NETWORK: [(&[u64], Text); 7] = [
    (&[3, 3], Free),
    (&[4, 3], Free),
    (&[5, 3], Free),
    (&[6, 3], Free),
    (&[8], Path),
    (&[9, 3], Free),
    (&[10, 3], Free),
];

/// A kind that CRIU does not have today.
static UNKNOWN: ImageKind = messages("");

static KINDS: [ImageKind; 84] = [
    with_texts(
        "apparmor",
        &[(&[1, 1], Free), (&[1, 2, 1], Free), (&[1, 2, 2], Kept)],
    ),
    messages("autofs"),
    with_texts(
        "binfmt-misc",
        &[
            (&[1], Free),
            (&[3], Path),
            (&[4], Free),
            (&[5], Free),
            (&[6], Free),
            (&[7], Free),
        ],
    ),
    of_form("bpfmap-data", Form::Contents(Behind::Sum(&[2, 3]))),
    with_texts("bpfmap-file", &[(&[13], Free)]),
    with_texts(
        "cgroup",
        &[
            (&[1, 2, 1], Free),
            (&[1, 2, 2], Free),
            (&[2, 1], Free),
            (&[2, 2, 1], Free),
        ],
    ),
    of_form("cipher", Form::Plain),
    with_texts(
        "core",
        &[
            (&[3, 6], Free),
            (&[3, 10, 1, 1], Signal),
            (&[5, 9, 1, 1], Signal),
            (&[5, 10, 15], Free),
            (&[5, 10, 16], Free),
            (&[5, 10, 17], Free),
            (&[5, 13], Free),
        ],
    ),
    with_texts("cpuinfo", &[(&[1, 7], Free)]),
    with_texts("creds", &[(&[15], Free), (&[16], Free), (&[17], Free)]),
    messages("eventfd"),
    messages("eventpoll"),
    messages("eventpoll-tfd"),
    messages("ext-files"),
    with_texts("fanotify", &[(&[6, 7, 2, 4], Path), (&[6, 8, 2], Path)]),
    with_texts("fanotify-mark", &[(&[7, 2, 4], Path), (&[8, 2], Path)]),
    with_texts("fdinfo", &[(&[5], Free)]),
    messages("fifo"),
    of_form("fifo-data", Form::Contents(Behind::Sum(&[2]))),
    messages("filelocks"),
    with_texts(
        "files",
        &[
            (&[3, 6], Path),
            (&[4, 14, 15], Free),
            (&[4, 17], Free),
            (&[6, 7, 15], Free),
            (&[7, 12, 15], Free),
            (&[11, 2], Free),
            (&[13, 5, 7, 4], Path),
            (&[14, 6, 7, 2, 4], Path),
            (&[14, 6, 8, 2], Path),
            (&[16, 10, 15], Free),
            (&[16, 11], Path),
            (&[16, 14], Path),
            (&[21, 13], Free),
        ],
    ),
    messages("fs"),
    ImageKind {
        name: "ghost-file",
        form: Form::Contents(Behind::File),
        texts: &[(&[11], Path)],
    },
    messages("ids"),
    of_form("ifaddr", Form::Plain),
    with_texts("inetsk", &[(&[14, 15], Free), (&[17], Free)]),
    with_texts("inotify", &[(&[5, 7, 4], Path)]),
    with_texts("inotify-wd", &[(&[7, 4], Path)]),
    with_texts("inventory", &[(&[12, 12], Free), (&[13], Free)]),
    of_form("ip6tables", Form::Plain),
    of_form("ipcns-msg", Form::Contents(Behind::QueuedMessage)),
    of_form("ipcns-sem", Form::Contents(Behind::Semaphores)),
    of_form("ipcns-shm", Form::Contents(Behind::SharedMemory)),
    messages("ipcns-var"),
    of_form("iptables", Form::Plain),
    with_texts("irmap-cache", &[(&[3], Path)]),
    messages("itimers"),
    with_texts("memfd", &[(&[1], Free)]),
    of_form("mm", Form::AddressSpace),
    with_texts(
        "mountpoints",
        &[
            (&[6], Path),
            (&[7], Path),
            (&[8], Path),
            (&[9], Path),
            (&[14], Free),
            (&[18], Path),
        ],
    ),
    with_texts(
        "netdev",
        &[
            (&[5], Free),
            (&[7], Free),
            (&[9, 3], Free),
            (&[10, 3], Free),
        ],
    ),
    with_texts("netlinksk", &[(&[12, 15], Free)]),
    with_texts("netns", &NETWORK),
    of_form("netns-ct", Form::Plain),
    of_form("netns-exp", Form::Plain),
    of_form("nftables", Form::Plain),
    messages("ns-files"),
    with_texts("packetsk", &[(&[7, 15], Free)]),
    of_form("pagemap", Form::PageMap),
    of_form("pagemap-shmem", Form::PageMap),
    of_form("pages", Form::Pages),
    of_form("pages-shmem", Form::Pages),
    messages("pidfd"),
    with_texts("pidns", &[(&[1], Path)]),
    messages("pipes"),
    of_form("pipes-data", Form::Contents(Behind::Sum(&[2]))),
    messages("posix-timers"),
    messages("pstree"),
    with_texts("reg-files", &[(&[6], Path)]),
    messages("remap-fpath"),
    messages("rlimit"),
    of_form("route", Form::Plain),
    of_form("route6", Form::Plain),
    of_form("rule", Form::Plain),
    with_texts("seccomp", &[(&[1, 1], Kept)]),
    messages("sigacts"),
    with_texts("signal-p", &[(&[1], Signal)]),
    with_texts("signal-s", &[(&[1], Signal)]),
    messages("signalfd"),
    of_form("sk-queues", Form::Contents(Behind::Sum(&[2]))),
    messages("stats-dump"),
    of_form("tcp-stream", Form::Contents(Behind::Sum(&[1, 3]))),
    messages("timens"),
    messages("timerfd"),
    of_form("tmpfs", Form::Archive),
    of_form("tmpfs-dev", Form::Archive),
    messages("tty"),
    with_texts("tty-data", &[(&[2], Free)]),
    messages("tty-info"),
    with_texts("tunfile", &[(&[2], Free)]),
    with_texts("unixsk", &[(&[10, 15], Free), (&[11], Path), (&[14], Path)]),
    messages("userns"),
    with_texts("utsns", &[(&[1], Free), (&[2], Free)]),
    messages("vmas"),
];

impl ImageKind {
    /// By the member's name without `.img`; `None` for a name that CRIU does not give.
    pub(crate) fn of(stem: &[u8]) -> Option<&'static Self> {
        let kind = match stem.iter().rposition(|byte| *byte == b'-') {
            Some(at) if is_number(stem.get(at + 1..)) => stem.get(..at).unwrap_or_default(),
            _ => stem,
        };
        KINDS.iter().find(|known| known.name.as_bytes() == kind)
    }

    /// The kind of images whose names CRIU does not give.
    pub(crate) fn unknown() -> &'static Self {
        &UNKNOWN
    }

    /// Whether this is a kind that CRIU has today.
    pub(super) fn is_known(&self) -> bool {
        !self.name.is_empty()
    }

    /// Whether a process can keep anything in numbers of this image that are masked: then those must be readable.
    pub(crate) fn must_be_readable(&self) -> bool {
        matches!(
            self.name,
            "core" | "files" | "eventfd" | "eventpoll" | "eventpoll-tfd"
        )
    }

    /// What the field at `path` is, if it is a text for certain.
    pub(super) fn text(&self, path: &[u64]) -> Option<Text> {
        let mut texts = self.texts.iter();
        let text = texts.find(|(field, _)| *field == path);
        text.map(|(_, text)| *text)
    }
}

/// Digits as CRIU numbers its images: decimal, or up to eight hexadecimal ones.
fn is_number(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| match digits.len() {
        1..=8 => digits.iter().all(u8::is_ascii_hexdigit),
        9..=20 => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_kinds() {
        for (stem, kind) in [
            ("core-17", "core"),
            ("pagemap-shmem-4294967297", "pagemap-shmem"),
            ("ghost-file-1f", "ghost-file"),
            ("sk-queues", "sk-queues"),
            ("pipes-data", "pipes-data"),
            ("ipcns-shm-9", "ipcns-shm"),
            ("fs", "fs"),
        ] {
            assert_eq!(ImageKind::of(stem.as_bytes()).unwrap().name, kind);
        }
        for stem in [
            "",
            "core-x",
            "core-123456789abc",
            "corex-1",
            "data",
            "core-",
        ] {
            assert!(ImageKind::of(stem.as_bytes()).is_none(), "{stem}");
        }
    }

    #[test]
    fn the_docs_list_every_kind() {
        let docs = include_str!("../../../../docs/redaction.md");
        for kind in &KINDS {
            let listed = [format!("`{}`", kind.name), format!("`{}-*`", kind.name)];
            assert!(
                listed.iter().any(|name| docs.contains(name)),
                "{}",
                kind.name
            );
        }
    }
}
