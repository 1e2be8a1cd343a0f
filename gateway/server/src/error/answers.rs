//! The status, code and meaning of every error. The match is the table: an error without a row does not compile, and a row
//! that no error leads to is reported as unreachable.

use gateway_archive::{Error as Archive, Limit};
use gateway_cri::{Error as Runtime, Failure, FailureKind as Kind};
use gateway_redact::Error as Redact;
use http::StatusCode;

use crate::Error;
use crate::operation::Operation;

/// The answer that a caller gets for an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable and machine-readable, in kebab-case.
    pub code: &'static str,
    /// The seconds after which a retry may succeed (`Retry-After`).
    pub retry_after: Option<u32>,
}

/// One row of the table. Two rows may have the same status and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The answer.
    pub answer: Answer,
    /// The calls that can get this answer.
    pub calls: &'static [Operation],
    /// The meaning, in a few words.
    pub meaning: &'static str,
}

const EVERY: &[Operation] = &Operation::ALL;
const CREATE: &[Operation] = &[Operation::Checkpoint];
/// Calls with a name or an id in their path.
const NAMING: &[Operation] = &[
    Operation::Checkpoint,
    Operation::Inspect,
    Operation::Delete,
    Operation::Download,
    Operation::Hold,
    Operation::Release,
];
/// Calls about one container or checkpoint, which policies decide.
const JUDGED: &[Operation] = NAMING;
/// Calls about a stored checkpoint.
const STORED: &[Operation] = &[
    Operation::Inspect,
    Operation::Delete,
    Operation::Download,
    Operation::Hold,
    Operation::Release,
];
/// Calls that read the store, and are answered only once they are on record.
const STORE: &[Operation] = &[
    Operation::Checkpoint,
    Operation::List,
    Operation::Inspect,
    Operation::Delete,
    Operation::Download,
    Operation::Hold,
    Operation::Release,
];
/// Calls whose intent is recorded before they are carried out.
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

/// A checkpoint that failed in the runtime for this reason.
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

/// An error of the store.
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
        "the path has percent-encoding, an empty segment or other characters that no path here has";
    Error::BadTarget(_) => BAD_REQUEST "bad-target", CREATE: "a segment of the path is not a valid Kubernetes name";
    Error::BadTimeout(_) => BAD_REQUEST "bad-timeout", CREATE: "`timeout` is not a whole number of seconds, or is repeated";
    Error::BadId(_) => BAD_REQUEST "bad-id", STORED: "the path has no valid checkpoint id: use a UUID in lower case";
    Error::BadQuery(..) => BAD_REQUEST "bad-query", QUERIED: "a parameter is unknown, repeated or invalid";
    Error::BadReason => BAD_REQUEST "bad-reason", EVERY:
        "send `X-Checkpoint-Reason` once, with 1 to 1024 bytes of printable UTF-8";
    Error::Unauthenticated(_) => UNAUTHORIZED "unauthenticated", EVERY: "no credential, or an invalid one";
    Error::Denied { .. } => FORBIDDEN "denied", JUDGED:
        "a policy denies it, or none allows it: see `policy` and `denial`";
    Error::NoRoute => NOT_FOUND "no-such-path", NAMING: "there is no such path";
    Error::Disabled => NOT_FOUND "checkpoints-disabled", CREATE: "checkpoints are disabled in the gateway's configuration";
    Error::Runtime(Runtime::NoPod) => NOT_FOUND "pod-not-found", CREATE: "there is no such pod";
    Error::Runtime(Runtime::NoContainer { .. }) => NOT_FOUND "container-not-found", CREATE:
        "the pod has no such container";
    Error::NoCheckpoint => NOT_FOUND "checkpoint-not-found", STORED: "there is no checkpoint with this id";
    Error::NoOriginal => NOT_FOUND "original-not-kept", FETCH: "only the redacted archive is kept";
    Error::Method(_) => METHOD_NOT_ALLOWED "method-not-allowed", EVERY: "the path does not allow the method: see `Allow`";
    Error::NotAcceptable(_) => NOT_ACCEPTABLE "not-acceptable", EVERY: "`Accept` does not allow the answer's media type";
    Error::BodyLost => REQUEST_TIMEOUT "body-lost", EVERY: "the body did not arrive; no call needs one";
    Error::Runtime(Runtime::Ambiguous { .. }) => CONFLICT "container-ambiguous", CREATE:
        "several running containers have this name";
    archive!(Archive::Held { .. }) => CONFLICT "held", DELETE: "a hold protects the checkpoint: release it first";
    Error::BodyTooLarge => PAYLOAD_TOO_LARGE "body-too-large", EVERY: "the body is too large; no call needs one";
    Error::Runtime(Runtime::Busy { .. }) => TOO_MANY_REQUESTS "busy" again in 10, CREATE:
        "too many checkpoints are running or waiting: try again later";
    archive!(Archive::Quota { limit: Limit::Count(_), .. }) => TOO_MANY_REQUESTS "quota-exceeded", CREATE:
        "a quota allows no more checkpoints; nothing was done: delete some first";

    // The kubelet answers every failed checkpoint with 500, and clients match on it; the code tells them apart.
    Error::Runtime(
        Runtime::NotRunning { .. } | Runtime::Checkpoint { failure: Failure { kind: Kind::NotRunning, .. }, .. }
    ) => INTERNAL_SERVER_ERROR "container-not-running", CREATE:
        "the container exists but is not running";
    failed!(Paused) => INTERNAL_SERVER_ERROR "container-paused", CREATE:
        "the container is paused, perhaps by an earlier checkpoint that was interrupted";
    failed!(NotFound) => INTERNAL_SERVER_ERROR "runtime-container-not-found", CREATE:
        "the runtime no longer has the container";
    failed!(Unimplemented) => INTERNAL_SERVER_ERROR "runtime-unimplemented", CREATE:
        "the runtime does not implement checkpoints: use a newer version";
    failed!(NotSupported) => INTERNAL_SERVER_ERROR "runtime-not-supported", CREATE:
        "checkpoints are disabled in the runtime, or CRIU is missing or too old";
    failed!(NoSpace) => INTERNAL_SERVER_ERROR "runtime-no-space", CREATE: "the runtime's disk is full: free some space";
    failed!(LocationRefused) => INTERNAL_SERVER_ERROR "runtime-location-refused", CREATE:
        "the runtime cannot write to the gateway's folder";
    failed!(Forbidden) => INTERNAL_SERVER_ERROR "runtime-forbidden", CREATE: "the runtime denies the gateway access to its socket";
    failed!(Unavailable) => INTERNAL_SERVER_ERROR "runtime-lost", CREATE: "the connection to the runtime was lost during the call";
    failed!(Other) => INTERNAL_SERVER_ERROR "runtime-error", CREATE:
        "the runtime failed: `detail` has its message";
    archive!(Archive::Seal(_) | Archive::Original(_)) => INTERNAL_SERVER_ERROR "sealing-failed", CREATE:
        "the original could not be sealed, so nothing was kept";
    redact!(Redact::BadRule(_) | Redact::CannotDrop { .. } | Redact::BadMask) =>
        INTERNAL_SERVER_ERROR "redaction-bad-rule", CREATE: "a redaction rule of a policy cannot be carried out";
    redact!(Redact::NotSettled { .. } | Redact::Reading(_)) => INTERNAL_SERVER_ERROR "redaction-failed", READING:
        "the archive could not be searched, so nothing was kept or shown";
    redact!(Redact::BrokeArchive(_)) => INTERNAL_SERVER_ERROR "redaction-broke-archive", CREATE:
        "redaction would have damaged the archive, so nothing was kept";
    archive!(Archive::Altered { .. }) => INTERNAL_SERVER_ERROR "archive-altered", STORED:
        "a stored file was changed after it was stored, so it is not served";
    archive!(
        Archive::Directory { .. } | Archive::Locked { .. } | Archive::Io { .. } | Archive::Metadata(_)
        | Archive::BadRecipient { .. } | Archive::Recipients { .. } | Archive::Worker
        | Archive::Redaction(Redact::Writing(_) | Redact::Scratch(_))
    ) => INTERNAL_SERVER_ERROR "archive-failed", STORE: "the store could not be read or written";
    Error::Unrecordable => INTERNAL_SERVER_ERROR "record-too-long", INTENDED:
        "the audit record of the request would be too long, so nothing was done";
    Error::Internal => INTERNAL_SERVER_ERROR "internal", EVERY:
        "a defect of the gateway: its log has more under the request id";

    Error::Runtime(Runtime::BadAnswer { .. }) => BAD_GATEWAY "runtime-bad-answer", CREATE:
        "the runtime sent an answer that contradicts itself";
    archive!(
        Archive::Empty | Archive::NotATar | Archive::NotAFile { .. } | Archive::Changed { .. }
        | Archive::Redaction(
            Redact::BadTar(_) | Redact::Truncated | Redact::Opaque { .. } | Redact::Bomb { .. }
        )
    ) => BAD_GATEWAY "runtime-bad-archive", READING: "the runtime wrote an archive that cannot be read";
    archive!(Archive::Incomplete { .. }) => BAD_GATEWAY "archive-incomplete", CREATE:
        "the archive lacks something, contradicts itself or is another container's: see `findings`";
    Error::Runtime(Runtime::NoSocket { .. }) => SERVICE_UNAVAILABLE "runtime-unavailable", CREATE:
        "no container runtime was found; nothing was done";
    Error::Runtime(Runtime::LookUp { .. }) => SERVICE_UNAVAILABLE "runtime-unavailable" again in 5, CREATE:
        "the runtime does not answer; nothing was done";
    Error::Audit(_) => SERVICE_UNAVAILABLE "audit-unavailable" again in 10, STORE:
        "the audit log cannot be written, so nothing was done";
    Error::Draining => SERVICE_UNAVAILABLE "draining" again in 5, CREATE: "the gateway is stopping: try again later";
    Error::Aborted => SERVICE_UNAVAILABLE "cut-short", CREATE:
        "the gateway stopped before the end; the container may still be frozen";
    Error::Overloaded => SERVICE_UNAVAILABLE "overloaded" again in 1, EVERY:
        "too many requests are being served: try again later";
    Error::WaitOver { .. } => GATEWAY_TIMEOUT "wait-over", CREATE:
        "the wait is over; the checkpoint continues and will be stored as `checkpoint_id`";
    archive!(Archive::TooSlow { .. }) => GATEWAY_TIMEOUT "runtime-stalled", CREATE: "the runtime stopped sending";
    archive!(Archive::NoSpace { .. } | Archive::Full { .. }) => INSUFFICIENT_STORAGE "no-space", WRITING:
        "there is not enough free disk space";
    archive!(Archive::Quota { limit: Limit::Bytes(_), .. }) => INSUFFICIENT_STORAGE "quota-exceeded", CREATE:
        "a quota allows no more bytes; nothing was done: delete checkpoints first";
    archive!(Archive::TooLarge { .. }) => INSUFFICIENT_STORAGE "archive-too-large", CREATE:
        "the archive is larger than `checkpoints.max-bytes`";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_meanings_short() {
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
