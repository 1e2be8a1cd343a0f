//! The last look at an archive before it is published.

use std::fs::File;

use gateway_core::Finding;
use gateway_redact::Owner;

use crate::{CheckpointInfo, Error};

/// The findings about an archive that is to be published as the checkpoint `info`; none is fatal. The pass seeks over the
/// memory pages, and reads headers, documents, process trees, cores and page maps.
///
/// # Errors
/// [`Error::Incomplete`] where a finding is fatal, [`Error::Redaction`] where it is not a whole tar archive.
pub(crate) fn publishable(
    archive: &mut File,
    info: &CheckpointInfo,
) -> Result<Vec<Finding>, Error> {
    let owner = Owner {
        target: &info.target,
        pod_uid: &info.pod_uid,
        named_by: "the request",
    };
    let findings = gateway_redact::verify(archive, Some(owner))?.findings;
    refuse_fatal(findings)
}

/// # Errors
/// [`Error::Incomplete`] where a finding is fatal.
pub(crate) fn refuse_fatal(findings: Vec<Finding>) -> Result<Vec<Finding>, Error> {
    if findings.iter().any(Finding::is_fatal) {
        Err(Error::Incomplete { findings })
    } else {
        Ok(findings)
    }
}
