//! Which numbers may be masked, by the kind of image and the path of fields.

/// What masking a number does to a restored process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Contents alone: any match is masked.
    Free,
    /// Contents or an address: masked where six bytes or more of a secret stand in it, which are no address.
    Wide,
    /// An address, a flag or a size that the restore needs: never masked.
    Kept,
}

/// The kind of an image, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// `core-ID.img`.
    Core,
    /// `files.img`.
    Files,
    /// `eventfd.img`, of older versions.
    EventFd,
    /// `eventpoll.img`, of older versions.
    EventPoll,
    /// `eventpoll-tfd.img`, of older versions.
    EventPollTargets,
    /// Any other: searched where it can be read.
    Other,
}

impl Source {
    /// By the name without `.img`.
    pub(crate) fn of(stem: &[u8]) -> Self {
        match stem {
            b"files" => Self::Files,
            b"eventfd" => Self::EventFd,
            b"eventpoll" => Self::EventPoll,
            b"eventpoll-tfd" => Self::EventPollTargets,
            _ if stem.starts_with(b"core-") => Self::Core,
            _ => Self::Other,
        }
    }

    /// Whether a process can keep anything in numbers of this image that are masked: then those must be readable.
    pub(crate) fn must_be_readable(self) -> bool {
        self != Self::Other
    }

    /// The role of the number at `path`.
    pub(super) fn role(self, path: &[u64]) -> Role {
        match (self, path) {
            (Self::Core, path) => core(path),
            (Self::Files, [8, 4] | [9, 4, 4])
            | (Self::EventFd | Self::EventPollTargets, [4])
            | (Self::EventPoll, [4, 4]) => Role::Wide,
            _ => Role::Kept,
        }
    }

    /// Whether the bytes at `path` are a `siginfo_t` of the kernel.
    pub(super) fn is_signal(self, path: &[u64]) -> bool {
        self == Self::Core && matches!(path, [3, 10, 1, 1] | [5, 9, 1, 1])
    }
}

/// Fields of `core_entry`: 2 is x86's state, 6 arm's, 8 aarch64's, 3 and 5 the task's and the thread's.
fn core(path: &[u64]) -> Role {
    match path {
        // st_space, xmm_space; of xsave: ymmh_space, opmask_reg, zmm_upper, hi16_zmm. aarch64's and arm's vregs.
        [2, 3, 9 | 10] | [2, 3, 13, 2 | 5 | 6 | 7] | [6 | 8, 4, 1] => Role::Free,
        // r15 to di; the x87's last addresses; the bounds registers; aarch64's and arm's; a POSIX timer's payload.
        [2, 2, 1..=15]
        | [2, 3, 5 | 6]
        | [2, 3, 13, 3]
        | [8, 3, 1]
        | [6, 3, 1..=13 | 15]
        | [3, 7, 4, 5] => Role::Wide,
        _ => Role::Kept,
    }
}
