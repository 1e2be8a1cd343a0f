//! Errors of the runtime.

use std::fmt;

use gateway_core::one_line;
use tonic::{Code, Status};

use crate::failure_kind::FailureKind;

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

impl Failure {
    pub(crate) fn new(status: &Status) -> Self {
        Self {
            kind: FailureKind::of(status),
            code: status.code(),
            message: one_line(status.message(), MESSAGE_MAX),
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
