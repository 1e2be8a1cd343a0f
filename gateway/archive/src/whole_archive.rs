//! A whole archive that is not published yet.

use std::fs::File;

use gateway_core::{Finding, RedactionSummary, Transport};

use crate::original_writer::WrittenOriginal;
use crate::space::SpaceReservation;

/// A whole archive in its work folder, not yet published.
#[derive(Debug)]
pub(crate) struct WholeArchive {
    /// Its file, for the last sync.
    pub(crate) file: File,
    /// Its name in the work folder.
    pub(crate) name: &'static str,
    pub(crate) bytes: u64,
    /// SHA-256 in hex.
    pub(crate) sha256: String,
    pub(crate) transport: Transport,
    /// The summary of its redaction, if there was one.
    pub(crate) redaction: Option<RedactionSummary>,
    /// What its receiver should know of it; none is fatal.
    pub(crate) findings: Vec<Finding>,
    /// The archive as the runtime wrote it, if that is kept.
    pub(crate) original: Option<WrittenOriginal>,
    /// The rest of its reservation.
    pub(crate) space: SpaceReservation,
}
