//! The meaning of a runtime's errors.

use tonic::{Code, Status};

/// The meaning of a runtime's error. Nearly every error has the gRPC code UNKNOWN, so the text must be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The container does not exist.
    NotFound,
    /// The container exists and does not run.
    NotRunning,
    /// The container is paused, possibly by an earlier checkpoint that was interrupted.
    Paused,
    /// The runtime does not have this RPC.
    Unimplemented,
    /// The runtime has the RPC, but checkpoints are disabled or CRIU is missing.
    NotSupported,
    /// The disk is full.
    NoSpace,
    /// The runtime does not accept a FIFO as location.
    LocationRefused,
    /// The gateway may not use the runtime's socket.
    Forbidden,
    /// The runtime cannot be reached, or disconnected during the call.
    Unavailable,
    /// Any other error. Only its text is known.
    Other,
}

/// The meanings of texts; the first match counts. Each was seen in an answer of the runtime in the comment.
const TEXTS: [(&str, FailureKind); 13] = [
    // containerd 2.1
    (
        "criu binary not found or too old",
        FailureKind::NotSupported,
    ),
    // CRI-O, with checkpoints disabled
    (
        "checkpoint/restore support not available",
        FailureKind::NotSupported,
    ),
    // containerd 2.1
    ("is in container_exited state", FailureKind::NotRunning),
    ("is in container_created state", FailureKind::NotRunning),
    // CRI-O
    ("is not running", FailureKind::NotRunning),
    // runc
    ("cannot pause a paused container", FailureKind::Paused),
    // containerd 1.6 and 1.7
    (
        "method checkpointcontainer not implemented",
        FailureKind::Unimplemented,
    ),
    // The kernel: ENOSPC, EDQUOT and ESPIPE.
    ("no space left on device", FailureKind::NoSpace),
    ("disk quota exceeded", FailureKind::NoSpace),
    ("illegal seek", FailureKind::LocationRefused),
    ("not a regular file", FailureKind::LocationRefused),
    ("is a named pipe", FailureKind::LocationRefused),
    // containerd, CRI-O; last, because the words are common.
    ("not found", FailureKind::NotFound),
];

impl FailureKind {
    /// The meaning of an error status.
    pub(crate) fn of(status: &Status) -> Self {
        // A status with a source was created by our side of the connection: the runtime has disconnected.
        if std::error::Error::source(status).is_some() {
            return Self::Unavailable;
        }
        match status.code() {
            Code::NotFound => return Self::NotFound,
            Code::Unimplemented => return Self::Unimplemented,
            Code::Unavailable | Code::Cancelled => return Self::Unavailable,
            Code::PermissionDenied | Code::Unauthenticated => return Self::Forbidden,
            _ => {}
        }
        let text = status.message().to_ascii_lowercase();
        TEXTS
            .iter()
            .find(|(words, _)| text.contains(words))
            .map_or(Self::Other, |(_, kind)| *kind)
    }

    /// A hint for the operator, to append to the runtime's message; empty if there is none.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Forbidden => "; run the gateway as a user with access to the socket",
            Self::Unavailable => "; check that the runtime is running",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: Code, message: &str) -> FailureKind {
        FailureKind::of(&Status::new(code, message))
    }

    #[test]
    fn classifies_a_missing_container() {
        assert_eq!(
            kind(
                Code::NotFound,
                "an error occurred when try to find container"
            ),
            FailureKind::NotFound
        );
        assert_eq!(
            kind(Code::Unknown, "could not find container \"a\": not found"),
            FailureKind::NotFound
        );
    }

    #[test]
    fn classifies_an_exited_container() {
        let text = "container \"a\" is in CONTAINER_EXITED state. only running containers can be checkpointed";
        assert_eq!(kind(Code::Unknown, text), FailureKind::NotRunning);
        let text = "container \"a\" is in CONTAINER_CREATED state. only running containers can be checkpointed";
        assert_eq!(kind(Code::Unknown, text), FailureKind::NotRunning);
        assert_eq!(
            kind(Code::Unknown, "container a is not running"),
            FailureKind::NotRunning
        );
    }

    #[test]
    fn classifies_a_paused_container() {
        assert_eq!(
            kind(
                Code::Unknown,
                "runc: cannot pause a paused container: unknown"
            ),
            FailureKind::Paused
        );
    }

    #[test]
    fn classifies_a_missing_rpc() {
        assert_eq!(
            kind(Code::Unimplemented, "unknown method CheckpointContainer"),
            FailureKind::Unimplemented
        );
        assert_eq!(
            kind(Code::Unknown, "method CheckpointContainer not implemented"),
            FailureKind::Unimplemented
        );
    }

    #[test]
    fn classifies_missing_criu_and_disabled_checkpoints() {
        assert_eq!(
            kind(Code::Unknown, "CRIU binary not found or too old (<31600)"),
            FailureKind::NotSupported
        );
        assert_eq!(
            kind(Code::Unknown, "checkpoint/restore support not available"),
            FailureKind::NotSupported
        );
    }

    #[test]
    fn classifies_a_full_disk() {
        assert_eq!(
            kind(Code::Unknown, "write /x: no space left on device"),
            FailureKind::NoSpace
        );
        assert_eq!(
            kind(Code::Unknown, "write /x: disk quota exceeded"),
            FailureKind::NoSpace
        );
    }

    #[test]
    fn classifies_a_refused_fifo() {
        for text in [
            "seek /x: illegal seek",
            "/x is not a regular file",
            "/x is a named pipe",
        ] {
            assert_eq!(
                kind(Code::Unknown, text),
                FailureKind::LocationRefused,
                "{text}"
            );
        }
    }

    #[test]
    fn classifies_disconnects_and_refusals() {
        assert_eq!(
            kind(Code::Unavailable, "transport error"),
            FailureKind::Unavailable
        );
        assert_eq!(
            kind(Code::Cancelled, "operation was canceled"),
            FailureKind::Unavailable
        );
        let reset = Status::from_error(Box::new(std::io::Error::from(
            std::io::ErrorKind::ConnectionReset,
        )));
        assert_eq!(FailureKind::of(&reset), FailureKind::Unavailable);
        assert_eq!(kind(Code::PermissionDenied, "no"), FailureKind::Forbidden);
        assert_eq!(kind(Code::Unauthenticated, "no"), FailureKind::Forbidden);
    }

    #[test]
    fn other_texts_have_no_meaning() {
        assert_eq!(
            kind(
                Code::Unknown,
                "Connected TCP socket, consider using tcp-established"
            ),
            FailureKind::Other
        );
        assert_eq!(kind(Code::Internal, ""), FailureKind::Other);
    }

    #[test]
    fn every_text_matches_in_upper_case() {
        for (words, kind) in TEXTS {
            let status = Status::unknown(format!("failed: {}: gone", words.to_uppercase()));
            assert_eq!(FailureKind::of(&status), kind, "{words}");
        }
    }
}
