use std::fmt;

use gateway_core::one_line;
use tonic::{Code, Status};

/// The longest runtime message that is passed on, in bytes: enough for CRIU's own words, which come at the end of a
/// line of wrappers.
const MESSAGE_MAX: usize = 2048;

/// An error that the runtime answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub kind: FailureKind,
    /// The gRPC status code.
    pub code: Code,
    /// The runtime's words, on one line and bounded.
    pub message: String,
}

/// What a runtime's error means. Nearly every one is gRPC UNKNOWN, so that only the text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The container is gone.
    NotFound,
    /// The container exists and does not run.
    NotRunning,
    /// The container is paused, which may be the mark of an earlier checkpoint that was cut short.
    Paused,
    /// The runtime has no such RPC.
    Unimplemented,
    /// The runtime has the RPC, and checkpoints are switched off or CRIU is missing.
    NotSupported,
    /// The disk is full.
    NoSpace,
    /// The runtime takes no FIFO for a location.
    LocationRefused,
    /// The runtime refuses us: its socket is there and not ours to use.
    Forbidden,
    /// The runtime cannot be reached, or went away during the call.
    Unavailable,
    /// Anything else. The text is all there is.
    Other,
}

/// What texts mean, the first match counting. Each line was seen in an answer of the runtime that it names.
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
    ("not found", FailureKind::NotFound), // containerd, CRI-O; last, since the words are so common
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
    /// What to do about it, to follow the runtime's words; empty where there is nothing general to say.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Forbidden => "; run the gateway as a user that may use the socket",
            Self::Unavailable => "; does the runtime run?",
            _ => "",
        }
    }
}

impl fmt::Display for Failure {
    /// As Go's gRPC writes it, and so the kubelet.
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
    // A status with a source was made on our side of the connection, which the runtime did not live to use.
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

/// A status code's names.
pub(crate) struct Names {
    /// As Go prints it.
    go: &'static str,
    /// As the gRPC specification and OpenTelemetry write it.
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
    fn a_container_that_is_gone_is_not_found() {
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
    fn a_container_that_has_exited_is_not_running() {
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
    fn a_paused_container_is_told_apart() {
        assert_eq!(
            kind(
                Code::Unknown,
                "runc: cannot pause a paused container: unknown"
            ),
            FailureKind::Paused
        );
    }

    #[test]
    fn a_runtime_without_the_rpc_is_unimplemented() {
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
    fn a_runtime_without_criu_or_with_checkpoints_off_does_not_support_them() {
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
    fn a_full_disk_is_told_apart() {
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
    fn a_refused_fifo_is_told_apart() {
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
    fn a_runtime_that_went_away_is_unavailable_and_one_that_refuses_us_is_forbidden() {
        assert_eq!(
            kind(Code::Unavailable, "transport error"),
            FailureKind::Unavailable
        );
        assert_eq!(
            kind(Code::Cancelled, "operation was canceled"),
            FailureKind::Unavailable
        );
        let cut = Status::from_error(Box::new(std::io::Error::from(
            std::io::ErrorKind::ConnectionReset,
        )));
        assert_eq!(Failure::new(&cut).kind, FailureKind::Unavailable);
        assert_eq!(kind(Code::PermissionDenied, "no"), FailureKind::Forbidden);
        assert_eq!(kind(Code::Unauthenticated, "no"), FailureKind::Forbidden);
    }

    #[test]
    fn anything_else_stays_what_it_is() {
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
    fn every_text_of_the_table_is_reached_in_any_case() {
        for (words, kind) in TEXTS {
            let status = Status::unknown(format!("failed: {}: gone", words.to_uppercase()));
            assert_eq!(Failure::new(&status).kind, kind, "{words}");
        }
    }

    #[test]
    fn a_failure_reads_as_the_kubelet_writes_it_and_stays_one_bounded_line() {
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
