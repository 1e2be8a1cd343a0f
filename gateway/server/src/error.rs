//! The errors of requests.

mod answers;

pub use answers::{Answer, Listed};

use std::num::NonZeroU32;

use gateway_core::{CheckpointId, Denial, Finding, ParseIdError, ParseTargetError};

/// Why a request failed. Closed: a variant without a status and a code does not compile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No credential, or an invalid one.
    #[error("{0}")]
    Unauthenticated(#[from] crate::authn::Error),
    /// The path contains a character sequence that no path of this interface has.
    #[error("the path contains {0}, which no path of this interface has")]
    BadPath(&'static str),
    /// There is no such path.
    #[error("there is no such path; try POST /checkpoint/NAMESPACE/POD/CONTAINER")]
    NoRoute,
    /// Checkpoints are disabled.
    #[error("checkpoints are disabled here; set `checkpoints.enabled` to allow them")]
    Disabled,
    /// The path takes another method.
    #[error("this path does not allow the method; use {0}")]
    Method(&'static str),
    /// The caller does not accept the answer's media type.
    #[error("the answer is {0}, which the `Accept` header does not allow")]
    NotAcceptable(&'static str),
    /// A segment of the path is not a Kubernetes name.
    #[error(transparent)]
    BadTarget(#[from] ParseTargetError),
    /// A segment of the path is not a checkpoint's id.
    #[error(transparent)]
    BadId(#[from] ParseIdError),
    /// A parameter of the query is invalid.
    #[error("{0} must be {1}")]
    BadQuery(&'static str, &'static str),
    /// There is no checkpoint with this id.
    #[error(
        "there is no checkpoint with this id; GET /v1/checkpoints lists those that you may see"
    )]
    NoCheckpoint,
    /// Only the redacted archive of the checkpoint is kept.
    #[error("the original of this checkpoint was not kept; only the redacted archive is available")]
    NoOriginal,
    /// `timeout` is not a number of seconds. The words are the kubelet's.
    #[error("cannot parse value of timeout parameter: {0}")]
    BadTimeout(&'static str),
    /// `X-Checkpoint-Reason` is repeated, empty, too long or not printable.
    #[error("send the X-Checkpoint-Reason header once, with 1 to 1024 bytes of printable UTF-8")]
    BadReason,
    /// The body is larger than `limits.body-bytes`.
    #[error("the body is too large; no call needs one")]
    BodyTooLarge,
    /// The body was late or incomplete.
    #[error("the body did not arrive; no call needs one")]
    BodyLost,
    /// A policy denies the request, or none allows it.
    #[error(
        "{}{}: {}", if .policy.is_empty() { "denied" } else { "denied by policy " }, .policy, .denial.message
    )]
    Denied {
        /// The policy; empty where none allowed or denied it.
        policy: String,
        /// The reason.
        denial: Denial,
    },
    /// The container runtime failed.
    #[error(transparent)]
    Runtime(#[from] gateway_cri::Error),
    /// The store failed.
    #[error("the checkpoint could not be stored{}", because(.0))]
    Archive(#[from] gateway_archive::Error),
    /// The audit log cannot be written, so nothing was done.
    #[error("the audit log cannot be written, so nothing was done; try again later")]
    Audit(#[from] gateway_audit::Error),
    /// The audit record of the request would be too long, so nothing was done.
    #[error(
        "the audit record of this request would be longer than 1 MiB, so nothing was done; shorten the container's labels and \
         annotations or the caller's claims"
    )]
    Unrecordable,
    /// The caller has waited long enough; the checkpoint goes on.
    #[error("the checkpoint took longer than {seconds} s; it continues and will be stored as {id}")]
    WaitOver {
        /// How long the caller waited, in seconds.
        seconds: NonZeroU32,
        /// The checkpoint's id.
        id: CheckpointId,
    },
    /// The gateway stopped before the checkpoint was done.
    #[error(
        "the gateway had to stop before the checkpoint was finished; check whether the container is still frozen"
    )]
    Aborted,
    /// The gateway is stopping.
    #[error("the gateway is stopping; try again later")]
    Draining,
    /// Too many requests at once.
    #[error("too many requests are being served; try again later")]
    Overloaded,
    /// A defect of the gateway.
    #[error("internal error; the gateway's log has more under the request id")]
    Internal,
}

impl Error {
    /// Every answer that an error can lead to.
    pub const ANSWERS: &[Listed] = answers::ALL;

    /// The findings about an archive that was refused for them.
    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Self::Archive(gateway_archive::Error::Incomplete { findings }) => findings,
            _ => &[],
        }
    }

    /// The status, code and retry hint of the error.
    pub fn answer(&self) -> Answer {
        answers::of(self)
    }
}

/// The reason that a caller is given for a failure of the store: the findings about an archive that is not published, or why it
/// could not be redacted. All others name files of the node.
fn because(error: &gateway_archive::Error) -> String {
    match error {
        gateway_archive::Error::Incomplete { .. } => format!(": {error}"),
        gateway_archive::Error::Redaction(error) => because_of_contents(error),
        _ => String::new(),
    }
}

/// The name of a file in the container can be a secret itself, so only the checkpoint's own member is named.
fn because_of_contents(error: &gateway_redact::Error) -> String {
    use gateway_redact::Error as Redact;
    let own = |member: &str| member.split(':').next().unwrap_or_default().to_owned();
    match error {
        Redact::Opaque { member, reason } => format!(": cannot search `{}`: {reason}", own(member)),
        Redact::Bomb { member, limit } => {
            format!(": `{}` unpacks to more than {limit} bytes", own(member))
        }
        Redact::BadTar(_) | Redact::Truncated | Redact::NotSettled { .. } => format!(": {error}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: gateway_redact::Error) -> String {
        Error::Archive(gateway_archive::Error::Redaction(error)).to_string()
    }

    #[test]
    fn says_which_member_cannot_be_redacted_and_why() {
        use gateway_redact::Error as Redact;
        let member = || "checkpoint/tmpfs-dev-7.tar.gz.img:/secret-name".to_owned();
        let bomb = told(Redact::Bomb {
            member: member(),
            limit: 1000,
        });
        let opaque = told(Redact::Opaque {
            member: member(),
            reason: "it is encrypted",
        });
        let start = "the checkpoint could not be stored: ";
        assert_eq!(
            bomb,
            format!("{start}`checkpoint/tmpfs-dev-7.tar.gz.img` unpacks to more than 1000 bytes")
        );
        assert_eq!(
            opaque,
            format!("{start}cannot search `checkpoint/tmpfs-dev-7.tar.gz.img`: it is encrypted")
        );
        assert_eq!(
            told(Redact::Truncated),
            format!("{start}the archive is truncated")
        );
    }

    #[test]
    fn names_no_file_of_the_node() {
        let cause = std::io::Error::other("/var/lib/checkpoints/a is read-only");
        let answer = told(gateway_redact::Error::Reading(cause));
        assert_eq!(answer, "the checkpoint could not be stored");
    }
}
