use std::num::NonZeroU32;

use gateway_core::{CheckpointId, Denial, ParseIdError, ParseTargetError};
use gateway_cri::FailureKind;
use http::StatusCode;

/// Why a request did not get what it asked for. Closed: a variant without a status and a code does not compile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No credential, or one that does not hold.
    #[error("{0}")]
    Unauthenticated(#[from] crate::authn::Error),
    /// The request target holds something that no path of ours does.
    #[error("the path holds {0}, which no path here does")]
    BadPath(&'static str),
    /// There is nothing under this path.
    #[error("there is nothing here; try POST /checkpoint/NAMESPACE/POD/CONTAINER")]
    NoRoute,
    /// The path is there, and checkpoints are switched off.
    #[error("checkpoints are switched off (`checkpoints.enabled`)")]
    Disabled,
    /// The path is there, for another method.
    #[error("the method is not allowed here; use {0}")]
    Method(&'static str),
    /// The caller does not take what the answer is.
    #[error("the answer is {0}, which the `Accept` header does not take")]
    NotAcceptable(&'static str),
    /// A segment of the path is no name.
    #[error(transparent)]
    BadTarget(#[from] ParseTargetError),
    /// What should be a checkpoint's id is none.
    #[error(transparent)]
    BadId(#[from] ParseIdError),
    /// A parameter of the query is wrong.
    #[error("{0} must be {1}")]
    BadQuery(&'static str, &'static str),
    /// There is no checkpoint of this id.
    #[error("there is no checkpoint of this id")]
    NoCheckpoint,
    /// The checkpoint's archive is kept only as it was redacted.
    #[error("no original of this checkpoint is kept")]
    NoOriginal,
    /// `timeout` is no number of seconds. The words are the kubelet's.
    #[error("cannot parse value of timeout parameter: {0}")]
    BadTimeout(&'static str),
    /// `X-Checkpoint-Reason` is no reason.
    #[error("the X-Checkpoint-Reason header must come once, as up to 1024 bytes of printable UTF-8")]
    BadReason,
    /// The body is larger than any call needs.
    #[error("the body is too large: no call here needs one")]
    BodyTooLarge,
    /// The body did not come in time, or broke off.
    #[error("the body did not arrive")]
    BodyLost,
    /// A policy says no, or none says yes.
    #[error(
        "{}{}: {}", if .policy.is_empty() { "denied" } else { "denied by policy " }, .policy, .denial.message
    )]
    Denied {
        /// Which policy; empty where none spoke.
        policy: String,
        /// Why.
        denial: Denial,
    },
    /// The runtime did not do it.
    #[error(transparent)]
    Runtime(#[from] gateway_cri::Error),
    /// The archive could not be taken in.
    #[error("the checkpoint could not be stored")]
    Archive(#[from] gateway_archive::Error),
    /// The audit log did not take the intent, so nothing was done.
    #[error("the audit log cannot be written, so nothing was done")]
    Audit(#[from] gateway_audit::Error),
    /// What the log would have to be told does not fit into a record, so nothing was done.
    #[error("what is to be written down of this request is too long for a record, so nothing was done")]
    Unrecordable,
    /// The caller's wait is over; the checkpoint goes on.
    #[error("no checkpoint within {seconds} s; it goes on and will be stored as {id}")]
    WaitOver {
        /// How long the caller waited.
        seconds: NonZeroU32,
        /// The checkpoint's id.
        id: CheckpointId,
    },
    /// The gateway stopped before the checkpoint was done.
    #[error("the gateway had to stop before the checkpoint was done; its container may stay frozen")]
    CutShort,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Draining,
    /// Too many requests at once.
    #[error("too many requests are being served: try again later")]
    Overloaded,
    /// A defect of ours.
    #[error("an internal error; the log has more under the request id")]
    Internal,
}

/// What an error is to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable and machine-readable, in kebab-case.
    pub code: &'static str,
    /// When it is worth trying again, in seconds.
    pub retry_after: Option<u32>,
}

impl Error {
    /// Status, code and hint, for every error there is.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Unauthenticated(_) => Answer::new(StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::BadPath(_) => Answer::new(StatusCode::BAD_REQUEST, "bad-path"),
            Self::NoRoute => Answer::new(StatusCode::NOT_FOUND, "no-such-path"),
            Self::Disabled => Answer::new(StatusCode::NOT_FOUND, "checkpoints-disabled"),
            Self::Method(_) => Answer::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Self::NotAcceptable(_) => Answer::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable"),
            Self::BadTarget(_) => Answer::new(StatusCode::BAD_REQUEST, "bad-target"),
            Self::BadId(_) => Answer::new(StatusCode::BAD_REQUEST, "bad-id"),
            Self::BadQuery(..) => Answer::new(StatusCode::BAD_REQUEST, "bad-query"),
            Self::NoCheckpoint => Answer::new(StatusCode::NOT_FOUND, "checkpoint-not-found"),
            Self::NoOriginal => Answer::new(StatusCode::NOT_FOUND, "original-not-kept"),
            Self::BadTimeout(_) => Answer::new(StatusCode::BAD_REQUEST, "bad-timeout"),
            Self::BadReason => Answer::new(StatusCode::BAD_REQUEST, "bad-reason"),
            Self::BodyTooLarge => Answer::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"),
            Self::BodyLost => Answer::new(StatusCode::REQUEST_TIMEOUT, "body-lost"),
            Self::Denied { .. } => Answer::new(StatusCode::FORBIDDEN, "denied"),
            Self::Runtime(error) => of_runtime(error),
            Self::Archive(error) => of_archive(error),
            Self::Audit(_) => Answer::new(StatusCode::SERVICE_UNAVAILABLE, "audit-unavailable").again_in(10),
            Self::Unrecordable => Answer::new(StatusCode::INTERNAL_SERVER_ERROR, "record-too-long"),
            Self::WaitOver { .. } => Answer::new(StatusCode::GATEWAY_TIMEOUT, "wait-over"),
            Self::CutShort => Answer::new(StatusCode::SERVICE_UNAVAILABLE, "cut-short"),
            Self::Draining => Answer::new(StatusCode::SERVICE_UNAVAILABLE, "draining").again_in(5),
            Self::Overloaded => Answer::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded").again_in(1),
            Self::Internal => Answer::new(StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl Answer {
    fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, retry_after: None }
    }

    fn again_in(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

fn of_runtime(error: &gateway_cri::Error) -> Answer {
    use gateway_cri::Error as E;
    let failed = |code| Answer::new(StatusCode::INTERNAL_SERVER_ERROR, code);
    match error {
        E::NoPod => Answer::new(StatusCode::NOT_FOUND, "pod-not-found"),
        E::NoContainer { .. } => Answer::new(StatusCode::NOT_FOUND, "container-not-found"),
        E::NotRunning { .. } => failed("container-not-running"),
        E::Ambiguous { .. } => Answer::new(StatusCode::CONFLICT, "container-ambiguous"),
        E::BadAnswer { .. } => Answer::new(StatusCode::BAD_GATEWAY, "runtime-bad-answer"),
        E::Busy { .. } => Answer::new(StatusCode::TOO_MANY_REQUESTS, "busy").again_in(10),
        E::NoSocket { .. } => Answer::new(StatusCode::SERVICE_UNAVAILABLE, "runtime-unavailable"),
        E::LookUp { .. } => Answer::new(StatusCode::SERVICE_UNAVAILABLE, "runtime-unavailable").again_in(5),
        // The kubelet answers every failed checkpoint with 500, and clients match on it; the code tells them apart.
        E::Checkpoint { failure, .. } => failed(match failure.kind {
            FailureKind::NotFound => "runtime-container-not-found",
            FailureKind::NotRunning => "container-not-running",
            FailureKind::Paused => "container-paused",
            FailureKind::Unimplemented => "runtime-unimplemented",
            FailureKind::NotSupported => "runtime-not-supported",
            FailureKind::NoSpace => "runtime-no-space",
            FailureKind::LocationRefused => "runtime-location-refused",
            FailureKind::Forbidden => "runtime-forbidden",
            FailureKind::Unavailable => "runtime-lost",
            FailureKind::Other => "runtime-error",
        }),
    }
}

fn of_archive(error: &gateway_archive::Error) -> Answer {
    use gateway_archive::{Error as E, Limit};
    let failed = |code| Answer::new(StatusCode::INTERNAL_SERVER_ERROR, code);
    match error {
        E::NoSpace { .. } | E::Full { .. } => Answer::new(StatusCode::INSUFFICIENT_STORAGE, "no-space"),
        E::Quota { limit: Limit::Count(_), .. } => {
            Answer::new(StatusCode::TOO_MANY_REQUESTS, "quota-exceeded")
        }
        E::Quota { limit: Limit::Bytes(_), .. } => {
            Answer::new(StatusCode::INSUFFICIENT_STORAGE, "quota-exceeded")
        }
        E::Held { .. } => Answer::new(StatusCode::CONFLICT, "held"),
        E::Altered { .. } => failed("archive-altered"),
        E::Seal(_) => failed("sealing-failed"),
        E::TooLarge { .. } => Answer::new(StatusCode::INSUFFICIENT_STORAGE, "archive-too-large"),
        E::Empty
        | E::NotATar
        | E::NotAFile { .. }
        | E::Changed { .. }
        | E::BadTar(_)
        | E::CutShort
        | E::Opaque { .. }
        | E::Bomb { .. } => Answer::new(StatusCode::BAD_GATEWAY, "runtime-bad-archive"),
        E::TooSlow { .. } => Answer::new(StatusCode::GATEWAY_TIMEOUT, "runtime-stalled"),
        E::BadRule(_) | E::CannotDrop { .. } | E::BadMask => failed("redaction-bad-rule"),
        E::NotSettled { .. } | E::Reading(_) => failed("redaction-failed"),
        E::BrokeArchive(_) => failed("redaction-broke-archive"),
        E::Directory { .. }
        | E::Locked { .. }
        | E::Io { .. }
        | E::Metadata(_)
        | E::BadRecipient { .. }
        | E::Recipients { .. }
        | E::Worker => failed("archive-failed"),
    }
}
