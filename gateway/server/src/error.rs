mod answers;

pub use answers::{Answer, Listed};

use std::num::NonZeroU32;

use gateway_core::{CheckpointId, Denial, ParseIdError, ParseTargetError};

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
    #[error(
        "the X-Checkpoint-Reason header must come once, as up to 1024 bytes of printable UTF-8"
    )]
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
    #[error(
        "what is to be written down of this request is too long for a record, so nothing was done"
    )]
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
    #[error(
        "the gateway had to stop before the checkpoint was done; its container may stay frozen"
    )]
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

impl Error {
    /// Every answer that an error can be.
    pub const ANSWERS: &[Listed] = answers::ALL;

    /// Status, code and hint, for every error there is.
    pub fn answer(&self) -> Answer {
        answers::of(self)
    }
}
