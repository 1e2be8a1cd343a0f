//! Receives an archive from the runtime, whichever way it comes.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use gateway_core::Transport;

use crate::archive_file::ArchiveFile;
use crate::bounds::Bounds;
use crate::drain::{Drained, discard, drain};
use crate::fifo::Fifo;
use crate::findings::publishable;
use crate::output::{Finished, Output};
use crate::redaction_run::RedactionRun;
use crate::runtime_file::RuntimeFile;
use crate::space::SpaceReservation;
use crate::spool::{Spool, SpoolWriter};
use crate::step::{Step, StepFile, Steps};
use crate::transport::TransportState;
use crate::whole_archive::WholeArchive;
use crate::work_folder::{RECEIVED, WorkFolder};
use crate::{CheckpointInfo, Error};

/// The source of an archive: a FIFO, or a file that the runtime writes itself.
pub(crate) enum Source {
    Fifo {
        fifo: Fifo,
        output: Output<ArchiveFile>,
        redaction: Option<RedactionRun>,
    },
    /// A FIFO, from which a spool is filled before redaction begins.
    Spool {
        fifo: Fifo,
        spool: SpoolWriter,
        output: Output<ArchiveFile>,
        redaction: RedactionRun,
    },
    File {
        space: SpaceReservation,
        redaction: Option<RedactionRun>,
    },
}

/// The end of a source: all bytes have come.
pub(crate) enum Received {
    Fifo {
        drained: Drained,
        /// `None` only after a defect.
        file: Option<ArchiveFile>,
        redaction: Option<RedactionRun>,
    },
    Spool {
        drained: Drained<Spool>,
        output: Output<ArchiveFile>,
        redaction: RedactionRun,
    },
    File {
        space: SpaceReservation,
        redaction: Option<RedactionRun>,
    },
}

/// What completing an archive needs besides its bytes.
pub(crate) struct Completion<'a> {
    pub(crate) folder: &'a WorkFolder,
    pub(crate) transports: &'a TransportState,
    pub(crate) bounds: Bounds,
    pub(crate) steps: &'a Steps,
    pub(crate) info: &'a CheckpointInfo,
}

impl Completion<'_> {
    /// Adds the findings about an archive that is published as it came.
    fn check(&self, mut archive: WholeArchive) -> Result<WholeArchive, Error> {
        let mut watch = self.steps.watch(Step::Check, StepFile::Archive);
        watch.count(archive.bytes);
        archive.findings = watch.time(|| publishable(&mut archive.file, self.info))?;
        Ok(archive)
    }
}

impl Source {
    /// Waits until all bytes have come. Returns the FIFO, too, if its writer stalled.
    pub(crate) fn receive(
        self,
        folder: &WorkFolder,
        bounds: Bounds,
        steps: &Steps,
    ) -> (Received, Option<Fifo>) {
        let receive = steps.watch(Step::Receive, StepFile::Archive);
        match self {
            Self::File { space, redaction } => (Received::File { space, redaction }, None),
            Self::Fifo {
                mut fifo,
                output,
                mut redaction,
            } => {
                let (drained, file) = if let Some(run) = &mut redaction {
                    drain_despite_panics(&mut fifo, |fifo| run.drain(fifo, output, folder))
                } else {
                    let moved = drain(&mut fifo, &output, bounds, folder.location(), receive);
                    let Finished { sink, sha256 } = output.finish();
                    (moved.conclude(sha256), sink)
                };
                let stalled = drained.stalled.then_some(fifo);
                let received = Received::Fifo {
                    drained,
                    file,
                    redaction,
                };
                (received, stalled)
            }
            Self::Spool {
                mut fifo,
                spool,
                output,
                redaction,
            } => {
                let receive = steps.watch(Step::Receive, StepFile::Spool);
                let moved = drain(&mut fifo, &spool, bounds, folder.location(), receive);
                let drained = moved.conclude(spool.finish());
                let stalled = drained.stalled.then_some(fifo);
                let received = Received::Spool {
                    drained,
                    output,
                    redaction,
                };
                (received, stalled)
            }
        }
    }
}

impl Received {
    /// The number of bytes that came.
    pub(crate) fn bytes(&self, folder: &WorkFolder) -> u64 {
        match self {
            Self::Fifo { drained, .. } => drained.bytes,
            Self::Spool { drained, .. } => drained.bytes,
            Self::File { .. } => folder.regular_file().unwrap_or_default(),
        }
    }

    /// Completes the archive, wherever the runtime wrote it.
    pub(crate) fn into_archive(self, with: &Completion<'_>) -> Result<WholeArchive, Error> {
        let folder = with.folder;
        // A runtime may put a file in the FIFO's place: it will do so the next time.
        let replaced = |bytes: u64| bytes == 0 && folder.regular_file().is_some();
        match self {
            Self::Fifo {
                drained,
                file,
                redaction,
            } if replaced(drained.bytes) => {
                with.transports.remember_refusal();
                let (_, space) = file.ok_or(Error::Worker)?.into_parts()?;
                from_file(space, redaction, with)
            }
            Self::Fifo {
                drained,
                file,
                redaction,
            } => from_fifo(drained, file, redaction, with),
            Self::Spool {
                drained,
                output,
                redaction,
            } if replaced(drained.bytes) => {
                with.transports.remember_refusal();
                let file = output.finish().sink;
                let (_, space) = file.ok_or(Error::Worker)?.into_parts()?;
                from_file(space, Some(redaction), with)
            }
            Self::Spool {
                drained,
                output,
                redaction,
            } => redaction.redact_spool(folder, drained.outcome?, output, with.info),
            Self::File { space, redaction } => from_file(space, redaction, with),
        }
    }
}

fn from_fifo(
    drained: Drained,
    file: Option<ArchiveFile>,
    redaction: Option<RedactionRun>,
    with: &Completion<'_>,
) -> Result<WholeArchive, Error> {
    let sha256 = drained.outcome?;
    let (file, space) = file.ok_or(Error::Worker)?.into_parts()?;
    let archive = WholeArchive {
        file,
        name: RECEIVED,
        bytes: redaction
            .as_ref()
            .map_or(drained.bytes, RedactionRun::bytes),
        sha256,
        transport: Transport::Fifo,
        redaction: None,
        findings: Vec::new(),
        original: None,
        space,
    };
    if let Some(run) = redaction {
        return run.complete(with.folder, archive, with.info);
    }
    with.check(archive)
}

fn from_file(
    space: SpaceReservation,
    redaction: Option<RedactionRun>,
    with: &Completion<'_>,
) -> Result<WholeArchive, Error> {
    let Some(run) = redaction else {
        let file = RuntimeFile::open(with.folder)?;
        return with.check(file.into_archive(space, with.bounds, with.steps)?);
    };
    run.redact_file(with.folder, space, with.info)
}

/// Runs `drain`; after a panic, reads the rest and keeps nothing. A defect in code that reads hostile archives must not
/// leave the runtime blocked, and its container frozen.
fn drain_despite_panics<R: Read, F>(
    source: &mut R,
    drain: impl FnOnce(&mut R) -> (Drained, Option<F>),
) -> (Drained, Option<F>) {
    catch_unwind(AssertUnwindSafe(|| drain(source))).unwrap_or_else(|_| {
        let mut bytes = 1; // Some bytes came: the runtime did not put a file in the FIFO's place.
        let end = discard(source, &mut bytes);
        let stalled = end.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        let drained = Drained {
            bytes,
            outcome: Err(Error::Worker),
            stalled,
        };
        (drained, None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_source_to_its_end_after_a_panic() {
        let bytes = vec![7; 100_000];
        let mut source = bytes.as_slice();
        let (drained, file) = drain_despite_panics::<_, ()>(&mut source, |source| {
            source.read_exact(&mut [0; 10]).unwrap();
            panic!("a defect");
        });
        assert!(source.is_empty() && file.is_none());
        assert!(matches!(drained.outcome, Err(Error::Worker)) && !drained.stalled);
    }
}
