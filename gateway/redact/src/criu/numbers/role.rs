//! Which numbers may be masked, by the kind of image and the path of fields.

use crate::criu::kind::ImageKind;

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

/// The role of the number at `path`.
pub(super) fn role(kind: &ImageKind, path: &[u64]) -> Role {
    match (kind.name, path) {
        ("core", path) => core(path),
        // A counter, data of epoll, a timer's payload, the type of a message in a queue.
        ("files", [8, 4] | [9, 4, 4])
        | ("eventfd" | "eventpoll-tfd", [4])
        | ("eventpoll", [4, 4])
        | ("posix-timers", [5])
        | ("ipcns-msg", [1]) => Role::Wide,
        _ => Role::Kept,
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
