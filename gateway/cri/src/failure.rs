//! Errors of the runtime and their meaning.

use std::fmt;

use gateway_core::one_line;
use tonic::{Code, Status};

/// The longest runtime message that is passed on, in bytes. CRIU's own message comes at the end, after those of its callers.
const MESSAGE_MAX: usize = 2048;

/// An error of the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The meaning of the error.
    pub kind: FailureKind,
    /// The gRPC status code.
    pub code: Code,
    /// The runtime's message, on one line and bounded.
    pub message: String,
}

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
    (
        "criu binary not found or too old",
        FailureKind::NotSupported,
    ), // containerd 2.1
    (
        "checkpoint/restore support not available",
        FailureKind::NotSupported,
    ), // CRI-O, switched off
    ("is in container_exited state", FailureKind::NotRunning), // containerd 2.1
    ("is in container_created state", FailureKind::NotRunning), // containerd 2.1
    ("is not running", FailureKind::NotRunning),               // CRI-O
    ("cannot pause a paused container", FailureKind::Paused),  // runc
    (
        "method checkpointcontainer not implemented",
        FailureKind::Unimplemented,
    ), // containerd 1.6 and 1.7
    ("no space left on device", FailureKind::NoSpace),         // the kernel's ENOSPC
    ("disk quota exceeded", FailureKind::NoSpace),             // the kernel's EDQUOT
    ("illegal seek", FailureKind::LocationRefused),            // the kernel's ESPIPE
    ("not a regular file", FailureKind::LocationRefused),
    ("is a named pipe", FailureKind::LocationRefused),
    ("not found", FailureKind::NotFound), // containerd, CRI-O; last, because the words are common
];

impl Failure {
    pub(crate) fn new(status: &Status) -> Self {
        Self {
            kind: classify(status),
            code: status.code(),
            message: one_line(status.message(), MESSAGE_MAX),
        }
    }
}

impl FailureKind {
    /// A hint for the operator, to append to the runtime's message; empty if there is none.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Forbidden => "; run the gateway as a user with access to the socket",
            Self::Unavailable => "; check that the runtime is running",
            _ => "",
        }
    }
}

impl fmt::Display for Failure {
    /// The format of Go's gRPC, and so of the kubelet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rpc error: code = {} desc = {}",
            names(self.code).go,
            self.message
        )
    }
}

impl std::error::Error for Failure {}

fn classify(status: &Status) -> FailureKind {
    // A status with a source was created by our side of the connection: the runtime has disconnected.
    if std::error::Error::source(status).is_some() {
        return FailureKind::Unavailable;
    }
    match status.code() {
        Code::NotFound => return FailureKind::NotFound,
        Code::Unimplemented => return FailureKind::Unimplemented,
        Code::Unavailable | Code::Cancelled => return FailureKind::Unavailable,
        Code::PermissionDenied | Code::Unauthenticated => return FailureKind::Forbidden,
        _ => {}
    }
    let text = status.message().to_ascii_lowercase();
    TEXTS
        .iter()
        .find(|(words, _)| text.contains(words))
        .map_or(FailureKind::Other, |(_, kind)| *kind)
}

/// The names of a status code.
pub(crate) struct Names {
    /// Go's name.
    go: &'static str,
    /// The name in the gRPC specification and in OpenTelemetry.
    pub(crate) canonical: &'static str,
}

pub(crate) fn names(code: Code) -> Names {
    let (go, canonical) = match code {
        Code::Ok => ("OK", "OK"),
        Code::Cancelled => ("Canceled", "CANCELLED"),
        Code::Unknown => ("Unknown", "UNKNOWN"),
        Code::InvalidArgument => ("InvalidArgument", "INVALID_ARGUMENT"),
        Code::DeadlineExceeded => ("DeadlineExceeded", "DEADLINE_EXCEEDED"),
        Code::NotFound => ("NotFound", "NOT_FOUND"),
        Code::AlreadyExists => ("AlreadyExists", "ALREADY_EXISTS"),
        Code::PermissionDenied => ("PermissionDenied", "PERMISSION_DENIED"),
        Code::ResourceExhausted => ("ResourceExhausted", "RESOURCE_EXHAUSTED"),
        Code::FailedPrecondition => ("FailedPrecondition", "FAILED_PRECONDITION"),
        Code::Aborted => ("Aborted", "ABORTED"),
        Code::OutOfRange => ("OutOfRange", "OUT_OF_RANGE"),
        Code::Unimplemented => ("Unimplemented", "UNIMPLEMENTED"),
        Code::Internal => ("Internal", "INTERNAL"),
        Code::Unavailable => ("Unavailable", "UNAVAILABLE"),
        Code::DataLoss => ("DataLoss", "DATA_LOSS"),
        Code::Unauthenticated => ("Unauthenticated", "UNAUTHENTICATED"),
    };
    Names { go, canonical }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: Code, message: &str) -> FailureKind {
        Failure::new(&Status::new(code, message)).kind
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
        assert_eq!(Failure::new(&reset).kind, FailureKind::Unavailable);
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
            assert_eq!(Failure::new(&status).kind, kind, "{words}");
        }
    }

    #[test]
    fn displays_one_bounded_line_in_the_kubelets_format() {
        let failure = Failure::new(&Status::cancelled("gone\r\naway"));
        assert_eq!(
            failure.to_string(),
            "rpc error: code = Canceled desc = gone  away"
        );
        assert!(
            Failure::new(&Status::unknown("x".repeat(1 << 20)))
                .to_string()
                .len()
                < MESSAGE_MAX + 64
        );
    }
}
