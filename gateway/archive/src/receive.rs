//! Receives an archive from the runtime, whichever way it comes.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use gateway_core::Transport;

use crate::archive_file::ArchiveFile;
use crate::bounds::Bounds;
use crate::drain::{Drained, discard, drain};
use crate::fifo::Fifo;
use crate::findings::publishable;
use crate::hasher::Hasher;
use crate::redaction_run::RedactionRun;
use crate::runtime_file::RuntimeFile;
use crate::space::SpaceReservation;
use crate::transport::TransportState;
use crate::whole_archive::WholeArchive;
use crate::work_folder::{RECEIVED, WorkFolder};
use crate::{CheckpointInfo, Error};

/// The source of an archive: a FIFO, or a file that the runtime writes itself.
pub(crate) enum Source {
    Fifo {
        fifo: Fifo,
        hasher: Hasher,
        file: ArchiveFile,
    },
    File(SpaceReservation),
}

/// The end of a source: all bytes have come.
pub(crate) enum Received {
    Fifo {
        drained: Drained,
        file: ArchiveFile,
        redaction: Option<RedactionRun>,
    },
    File {
        space: SpaceReservation,
        redaction: Option<RedactionRun>,
    },
}

impl Source {
    /// Waits until all bytes have come. Returns the FIFO, too, if its writer stalled.
    pub(crate) fn receive(
        self,
        folder: &WorkFolder,
        mut redaction: Option<RedactionRun>,
        bounds: Bounds,
    ) -> (Received, Option<Fifo>) {
        let (mut fifo, hasher, mut file) = match self {
            Self::File(space) => return (Received::File { space, redaction }, None),
            Self::Fifo { fifo, hasher, file } => (fifo, hasher, file),
        };
        let drained = match &mut redaction {
            Some(run) => {
                drain_despite_panics(&mut fifo, |fifo| run.drain(fifo, &mut file, hasher, folder))
            }
            None => drain(&mut fifo, &mut file, hasher, bounds, folder.location()),
        };
        let stalled = drained.stalled.then_some(fifo);
        let received = Received::Fifo {
            drained,
            file,
            redaction,
        };
        (received, stalled)
    }
}

impl Received {
    /// The number of bytes that came.
    pub(crate) fn bytes(&self, folder: &WorkFolder) -> u64 {
        match self {
            Self::Fifo { drained, .. } => drained.bytes,
            Self::File { .. } => folder.regular_file().unwrap_or_default(),
        }
    }

    /// Completes the archive, wherever the runtime wrote it.
    pub(crate) fn into_archive(
        self,
        folder: &WorkFolder,
        transports: &TransportState,
        bounds: Bounds,
        info: &CheckpointInfo,
    ) -> Result<WholeArchive, Error> {
        match self {
            Self::Fifo {
                drained,
                file,
                redaction,
            } if drained.bytes > 0 || folder.regular_file().is_none() => {
                from_fifo(drained, file, redaction, folder, info)
            }
            Self::Fifo {
                file, redaction, ..
            } => {
                // The runtime put a file in the FIFO's place: it will do so the next time.
                transports.remember_refusal();
                let (_, space) = file.into_parts();
                from_file(space, redaction, folder, bounds, info)
            }
            Self::File { space, redaction } => from_file(space, redaction, folder, bounds, info),
        }
    }
}

fn from_fifo(
    drained: Drained,
    file: ArchiveFile,
    redaction: Option<RedactionRun>,
    folder: &WorkFolder,
    info: &CheckpointInfo,
) -> Result<WholeArchive, Error> {
    let (file, space) = file.into_parts();
    let mut archive = WholeArchive {
        file,
        name: RECEIVED,
        bytes: redaction
            .as_ref()
            .map_or(drained.bytes, RedactionRun::bytes),
        sha256: drained.sha256?,
        transport: Transport::Fifo,
        redaction: None,
        findings: Vec::new(),
        original: None,
        space,
    };
    if let Some(run) = redaction {
        return run.complete(folder, archive, info);
    }
    archive.findings = publishable(&mut archive.file, info)?;
    Ok(archive)
}

fn from_file(
    space: SpaceReservation,
    redaction: Option<RedactionRun>,
    folder: &WorkFolder,
    bounds: Bounds,
    info: &CheckpointInfo,
) -> Result<WholeArchive, Error> {
    let Some(run) = redaction else {
        let mut archive = RuntimeFile::open(folder)?.into_archive(space, bounds)?;
        archive.findings = publishable(&mut archive.file, info)?;
        return Ok(archive);
    };
    run.redact_file(folder, space, info)
}

/// Runs `drain`; after a panic, reads the rest and keeps nothing. A defect in code that reads hostile archives must not
/// leave the runtime blocked, and its container frozen.
fn drain_despite_panics<R: Read>(source: &mut R, drain: impl FnOnce(&mut R) -> Drained) -> Drained {
    catch_unwind(AssertUnwindSafe(|| drain(source))).unwrap_or_else(|_| {
        let mut bytes = 1; // Some bytes came: the runtime did not put a file in the FIFO's place.
        let end = discard(source, &mut bytes);
        let stalled = end.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        Drained {
            bytes,
            sha256: Err(Error::Worker),
            stalled,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_source_to_its_end_after_a_panic() {
        let bytes = vec![7; 100_000];
        let mut source = bytes.as_slice();
        let drained = drain_despite_panics(&mut source, |source| {
            source.read_exact(&mut [0; 10]).unwrap();
            panic!("a defect");
        });
        assert!(source.is_empty());
        assert!(matches!(drained.sha256, Err(Error::Worker)) && !drained.stalled);
    }
}
