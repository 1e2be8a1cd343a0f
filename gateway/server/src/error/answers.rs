//! What each error is to a caller. The match is the table: an error without a row does not compile, and a row that no error
//! leads to is reported as unreachable. So what is listed is what can be answered.

use gateway_archive::{Error as Archive, Limit};
use gateway_cri::{Error as Runtime, Failure, FailureKind as Kind};
use gateway_redact::Error as Redact;
use http::StatusCode;

use crate::Error;
use crate::operation::Operation;

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

/// One of all the answers that errors can be. Two may have the same status and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The answer.
    pub answer: Answer,
    /// The calls that can be answered so.
    pub calls: &'static [Operation],
    /// What it means, in a few words.
    pub meaning: &'static str,
}

const EVERY: &[Operation] = &Operation::ALL;
const TAKE: &[Operation] = &[Operation::Checkpoint];
/// With a name or an id in their path.
const NAMING: &[Operation] = &[
    Operation::Checkpoint,
    Operation::Inspect,
    Operation::Delete,
    Operation::Download,
    Operation::Hold,
    Operation::Release,
];
/// About one container or checkpoint, which policies are asked about.
const JUDGED: &[Operation] = NAMING;
/// About a checkpoint that there is.
const STORED: &[Operation] = &[
    Operation::Inspect,
    Operation::Delete,
    Operation::Download,
    Operation::Hold,
    Operation::Release,
];
/// All that look at the store, and are not answered before the audit log has them.
const STORE: &[Operation] = &[
    Operation::Checkpoint,
    Operation::List,
    Operation::Inspect,
    Operation::Delete,
    Operation::Download,
    Operation::Hold,
    Operation::Release,
];
/// Written down before they are done.
const INTENDED: &[Operation] = &[
    Operation::Checkpoint,
    Operation::Delete,
    Operation::Download,
    Operation::Hold,
    Operation::Release,
];
const WRITING: &[Operation] = &[
    Operation::Checkpoint,
    Operation::Delete,
    Operation::Hold,
    Operation::Release,
];
const QUERIED: &[Operation] = &[Operation::List, Operation::Download];
const DELETE: &[Operation] = &[Operation::Delete];
const FETCH: &[Operation] = &[Operation::Download];
const OPENING: &[Operation] = &[Operation::Inspect, Operation::Download];
const READING: &[Operation] = &[Operation::Checkpoint, Operation::Inspect];

macro_rules! answers {
    ($($error:pat => $status:ident $code:literal $(again in $seconds:literal)?, $calls:ident: $meaning:literal;)*) => {
        pub(super) fn of(error: &Error) -> Answer {
            match error {
                $($error => answers!(@ $status $code $($seconds)?),)*
            }
        }

        pub(super) const ALL: &[Listed] = &[
            $(Listed { answer: answers!(@ $status $code $($seconds)?), calls: $calls, meaning: $meaning },)*
        ];
    };
    (@ $status:ident $code:literal) => {
        Answer { status: StatusCode::$status, code: $code, retry_after: None }
    };
    (@ $status:ident $code:literal $seconds:literal) => {
        Answer { status: StatusCode::$status, code: $code, retry_after: Some($seconds) }
    };
}

/// A checkpoint that the runtime did not take, for this reason.
macro_rules! failed {
    ($kind:ident) => {
        Error::Runtime(Runtime::Checkpoint {
            failure: Failure {
                kind: Kind::$kind,
                ..
            },
            ..
        })
    };
}

/// What the archive room says.
macro_rules! archive {
    ($($variant:pat_param)|+) => {
        Error::Archive($($variant)|+)
    };
}

/// A failure of the redactor.
macro_rules! redact {
    ($($variant:pat_param)|+) => {
        Error::Archive(Archive::Redaction($($variant)|+))
    };
}

answers! {
    Error::BadPath(_) => BAD_REQUEST "bad-path", NAMING:
        "the path holds what no path here does, such as percent-encoding or an empty segment";
    Error::BadTarget(_) => BAD_REQUEST "bad-target", TAKE: "a segment of the path is no Kubernetes name";
    Error::BadTimeout(_) => BAD_REQUEST "bad-timeout", TAKE: "`timeout` is no number of seconds, given once";
    Error::BadId(_) => BAD_REQUEST "bad-id", STORED: "what should be an id is none";
    Error::BadQuery(..) => BAD_REQUEST "bad-query", QUERIED: "a parameter is unknown, repeated or no value of its kind";
    Error::BadReason => BAD_REQUEST "bad-reason", EVERY:
        "`X-Checkpoint-Reason` is no reason: once, up to 1024 bytes of printable UTF-8";
    Error::Unauthenticated(_) => UNAUTHORIZED "unauthenticated", EVERY: "no credential, or one that does not hold";
    Error::Denied { .. } => FORBIDDEN "denied", JUDGED:
        "a policy says no, or none says yes: `policy` and `denial` tell";
    Error::NoRoute => NOT_FOUND "no-such-path", NAMING: "there is no such call: the path has another number of segments";
    Error::Disabled => NOT_FOUND "checkpoints-disabled", TAKE: "checkpoints are switched off here";
    Error::Runtime(Runtime::NoPod) => NOT_FOUND "pod-not-found", TAKE: "there is no such pod";
    Error::Runtime(Runtime::NoContainer { .. }) => NOT_FOUND "container-not-found", TAKE:
        "the pod has no such container";
    Error::NoCheckpoint => NOT_FOUND "checkpoint-not-found", STORED: "there is no checkpoint of this id";
    Error::NoOriginal => NOT_FOUND "original-not-kept", FETCH: "only the redacted archive is kept";
    Error::Method(_) => METHOD_NOT_ALLOWED "method-not-allowed", EVERY: "the path takes another method: see `Allow`";
    Error::NotAcceptable(_) => NOT_ACCEPTABLE "not-acceptable", EVERY: "`Accept` does not take what the answer is";
    Error::BodyLost => REQUEST_TIMEOUT "body-lost", EVERY: "the body did not arrive; no call needs one";
    Error::Runtime(Runtime::Ambiguous { .. }) => CONFLICT "container-ambiguous", TAKE:
        "several running containers have this name";
    archive!(Archive::Held { .. }) => CONFLICT "held", DELETE: "a hold pins the checkpoint";
    Error::BodyTooLarge => PAYLOAD_TOO_LARGE "body-too-large", EVERY: "the body is too large; no call needs one";
    Error::Runtime(Runtime::Busy { .. }) => TOO_MANY_REQUESTS "busy" again in 10, TAKE:
        "too many checkpoints run or wait";
    archive!(Archive::Quota { limit: Limit::Count(_), .. }) => TOO_MANY_REQUESTS "quota-exceeded", TAKE:
        "there would be more checkpoints than a quota allows; nothing was done";

    // The kubelet answers every failed checkpoint with 500, and clients match on it; the code tells them apart.
    Error::Runtime(
        Runtime::NotRunning { .. } | Runtime::Checkpoint { failure: Failure { kind: Kind::NotRunning, .. }, .. }
    ) => INTERNAL_SERVER_ERROR "container-not-running", TAKE:
        "the container exists and does not run";
    failed!(Paused) => INTERNAL_SERVER_ERROR "container-paused", TAKE:
        "the container is paused, which may be the mark of an earlier checkpoint that was cut short";
    failed!(NotFound) => INTERNAL_SERVER_ERROR "runtime-container-not-found", TAKE:
        "the container is gone, the runtime says";
    failed!(Unimplemented) => INTERNAL_SERVER_ERROR "runtime-unimplemented", TAKE:
        "the runtime cannot take checkpoints";
    failed!(NotSupported) => INTERNAL_SERVER_ERROR "runtime-not-supported", TAKE:
        "checkpoints are switched off in the runtime, or it lacks CRIU";
    failed!(NoSpace) => INTERNAL_SERVER_ERROR "runtime-no-space", TAKE: "the runtime's disk is full";
    failed!(LocationRefused) => INTERNAL_SERVER_ERROR "runtime-location-refused", TAKE:
        "the runtime does not write where it was told to";
    failed!(Forbidden) => INTERNAL_SERVER_ERROR "runtime-forbidden", TAKE: "the runtime refuses the gateway";
    failed!(Unavailable) => INTERNAL_SERVER_ERROR "runtime-lost", TAKE: "the runtime went away during the call";
    failed!(Other) => INTERNAL_SERVER_ERROR "runtime-error", TAKE:
        "the runtime failed: `detail` has its words";
    archive!(Archive::Seal(_) | Archive::Original(_)) => INTERNAL_SERVER_ERROR "sealing-failed", TAKE:
        "the original could not be kept, so nothing was";
    redact!(Redact::BadRule(_) | Redact::CannotDrop { .. } | Redact::BadMask) =>
        INTERNAL_SERVER_ERROR "redaction-bad-rule", TAKE: "what is to be hidden cannot be hidden as a policy wrote it";
    redact!(Redact::NotSettled { .. } | Redact::Reading(_)) => INTERNAL_SERVER_ERROR "redaction-failed", READING:
        "the archive could not be gone through";
    redact!(Redact::BrokeArchive(_)) => INTERNAL_SERVER_ERROR "redaction-broke-archive", TAKE:
        "redaction would have broken the archive, so nothing was kept";
    archive!(Archive::Altered { .. }) => INTERNAL_SERVER_ERROR "archive-altered", OPENING:
        "a published file is not what was published, so it is not served";
    archive!(
        Archive::Directory { .. } | Archive::Locked { .. } | Archive::Io { .. } | Archive::Metadata(_)
        | Archive::BadRecipient { .. } | Archive::Recipients { .. } | Archive::Worker
        | Archive::Redaction(Redact::Writing(_) | Redact::Scratch(_))
    ) => INTERNAL_SERVER_ERROR "archive-failed", STORE: "the store could not be read or written";
    Error::Unrecordable => INTERNAL_SERVER_ERROR "record-too-long", INTENDED:
        "what would have to be written down does not fit into a record, so nothing was done";
    Error::Internal => INTERNAL_SERVER_ERROR "internal", EVERY:
        "a defect of the gateway: its log has more under the request's id";

    Error::Runtime(Runtime::BadAnswer { .. }) => BAD_GATEWAY "runtime-bad-answer", TAKE:
        "what the runtime answered makes no sense";
    archive!(
        Archive::Empty | Archive::NotATar | Archive::NotAFile { .. } | Archive::Changed { .. }
        | Archive::Redaction(
            Redact::BadTar(_) | Redact::Truncated | Redact::Opaque { .. } | Redact::Bomb { .. }
        )
    ) => BAD_GATEWAY "runtime-bad-archive", READING: "what the runtime wrote is no archive that can be read";
    Error::Runtime(Runtime::NoSocket { .. }) => SERVICE_UNAVAILABLE "runtime-unavailable", TAKE:
        "no runtime was found; nothing was done";
    Error::Runtime(Runtime::LookUp { .. }) => SERVICE_UNAVAILABLE "runtime-unavailable" again in 5, TAKE:
        "the runtime does not answer; nothing was done";
    Error::Audit(_) => SERVICE_UNAVAILABLE "audit-unavailable" again in 10, STORE:
        "the audit log cannot be written, so nothing was done";
    Error::Draining => SERVICE_UNAVAILABLE "draining" again in 5, TAKE: "the gateway is stopping";
    Error::CutShort => SERVICE_UNAVAILABLE "cut-short", TAKE:
        "the gateway had to stop in the middle; the container may be frozen";
    Error::Overloaded => SERVICE_UNAVAILABLE "overloaded" again in 1, EVERY:
        "too many requests are being served";
    Error::WaitOver { .. } => GATEWAY_TIMEOUT "wait-over", TAKE:
        "the wait is over; the checkpoint goes on and will be stored as `checkpoint_id`";
    archive!(Archive::TooSlow { .. }) => GATEWAY_TIMEOUT "runtime-stalled", TAKE: "the runtime stopped sending";
    archive!(Archive::NoSpace { .. } | Archive::Full { .. }) => INSUFFICIENT_STORAGE "no-space", WRITING:
        "it would fill the disk";
    archive!(Archive::Quota { limit: Limit::Bytes(_), .. }) => INSUFFICIENT_STORAGE "quota-exceeded", TAKE:
        "there would be more bytes than a quota allows; nothing was done";
    archive!(Archive::TooLarge { .. }) => INSUFFICIENT_STORAGE "archive-too-large", TAKE:
        "the archive is larger than is allowed";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_kebab_case_and_its_meaning_a_few_words() {
        for Listed {
            answer,
            calls,
            meaning,
        } in ALL
        {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(answer.code.bytes().all(plain), "{}", answer.code);
            assert!(
                answer.status.is_client_error() || answer.status.is_server_error(),
                "{}",
                answer.code
            );
            assert!(
                !calls.is_empty() && (1..=120).contains(&meaning.len()),
                "{}",
                answer.code
            );
        }
    }
}
