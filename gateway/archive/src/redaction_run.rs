//! Takes an archive in through the redactor, in as many passes as it needs.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_core::Transport;
use gateway_redact::{Redacted, Redactor};

use crate::archive_file::{ArchiveFile, Cache};
use crate::bounds::Bounds;
use crate::drain::Drained;
use crate::findings::{publishable, refuse_fatal};
use crate::intake_reader::IntakeReader;
use crate::original_writer::OriginalWriter;
use crate::output::{Finished, Output};
use crate::output_writer::OutputWriter;
use crate::runtime_file::RuntimeFile;
use crate::scratch::ScratchFiles;
use crate::space::{Space, SpaceReservation};
use crate::spool::Spool;
use crate::step::{Step, StepFile, Steps};
use crate::whole_archive::WholeArchive;
use crate::work_folder::{LOCATION, RECEIVED, WorkFolder};
use crate::{CheckpointInfo, Error};

/// The outputs of the passes after the first, and of those over a runtime's own file.
const OUTPUTS: [&str; 3] = ["redacted.1.tar", "redacted.2.tar", "redacted.3.tar"];

/// The redaction of one archive that is taken in.
pub(crate) struct RedactionRun {
    redactor: Redactor,
    bounds: Bounds,
    /// For scratch files.
    space: Arc<Space>,
    /// Takes the archive as the runtime wrote it, where that is kept.
    original: Option<OriginalWriter>,
    outputs: std::array::IntoIter<&'static str, 3>,
    steps: Steps,
    /// Whether the last output needs another pass.
    again: bool,
    /// The length of the last output.
    bytes: u64,
}

impl RedactionRun {
    pub(crate) fn new(
        redactor: Redactor,
        bounds: Bounds,
        space: Arc<Space>,
        original: Option<OriginalWriter>,
        steps: Steps,
    ) -> Self {
        Self {
            redactor,
            bounds,
            space,
            original,
            outputs: OUTPUTS.into_iter(),
            steps,
            again: false,
            bytes: 0,
        }
    }

    /// The length of the last output, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The first pass: as [`crate::drain::drain`], with the redactor between source and output. The digest is the output's.
    pub(crate) fn drain(
        &mut self,
        source: &mut impl Read,
        output: Output<ArchiveFile>,
        folder: &WorkFolder,
    ) -> (Drained, Option<ArchiveFile>) {
        let original = self.original.take();
        let receive = self.steps.watch(Step::Receive, StepFile::Archive);
        let mut reader = IntakeReader::new(source, self.bounds, original.as_ref(), receive);
        let Finished { sink, sha256 } = self.pass(&mut reader, output, folder);
        let drained = reader.finish(sha256, folder.location());
        self.original = original;
        (drained, sink)
    }

    /// Redacts the runtime's own file and removes it.
    pub(crate) fn redact_file(
        mut self,
        folder: &WorkFolder,
        space: SpaceReservation,
        info: &CheckpointInfo,
    ) -> Result<WholeArchive, Error> {
        let mut source = RuntimeFile::open(folder)?;
        let (output, name) = self.next_output(folder, space)?;
        let (drained, file) = self.drain(&mut source.file, output, folder);
        let sha256 = drained.outcome?;
        source.check_unchanged(drained.bytes)?;
        folder.remove(LOCATION);
        let (file, space) = file.ok_or(Error::Worker)?.into_parts()?;
        let archive = WholeArchive {
            file,
            name,
            bytes: self.bytes,
            sha256,
            transport: Transport::File,
            redaction: None,
            findings: Vec::new(),
            original: None,
            space,
        };
        self.complete(folder, archive, info)
    }

    /// Redacts a spooled archive.
    pub(crate) fn redact_spool(
        mut self,
        folder: &WorkFolder,
        mut spool: Spool,
        output: Output<ArchiveFile>,
        info: &CheckpointInfo,
    ) -> Result<WholeArchive, Error> {
        let (drained, file) = self.drain(&mut spool, output, folder);
        let sha256 = drained.outcome?;
        drop(spool);
        let (file, space) = file.ok_or(Error::Worker)?.into_parts()?;
        let archive = WholeArchive {
            file,
            name: RECEIVED,
            bytes: self.bytes,
            sha256,
            transport: Transport::Spool,
            redaction: None,
            findings: Vec::new(),
            original: None,
            space,
        };
        self.complete(folder, archive, info)
    }

    /// Runs the passes that are still needed, and the last checks.
    pub(crate) fn complete(
        mut self,
        folder: &WorkFolder,
        mut archive: WholeArchive,
        info: &CheckpointInfo,
    ) -> Result<WholeArchive, Error> {
        while self.again {
            archive = self.pass_again(folder, archive)?;
        }
        archive.original = self.original.map(OriginalWriter::finish).transpose()?;
        let mut watch = self.steps.watch(Step::Check, StepFile::Archive);
        watch.count(archive.bytes);
        let redacted = watch.time(|| check(self.redactor, &mut archive.file, info))?;
        archive.findings = redacted.findings;
        archive.redaction = Some(redacted.summary);
        Ok(archive)
    }

    fn pass_again(
        &mut self,
        folder: &WorkFolder,
        mut archive: WholeArchive,
    ) -> Result<WholeArchive, Error> {
        let path = folder.path_of(archive.name);
        let (output, name) = self.next_output(folder, archive.space)?;
        archive.file.rewind().map_err(Error::io("read", &path))?;
        let Finished { sink, sha256 } = self.pass(&mut archive.file, output, folder);
        archive.sha256 = sha256?;
        folder.remove(mem::replace(&mut archive.name, name));
        (archive.file, archive.space) = sink.ok_or(Error::Worker)?.into_parts()?;
        archive.bytes = self.bytes;
        Ok(archive)
    }

    fn pass(
        &mut self,
        input: &mut dyn Read,
        output: Output<ArchiveFile>,
        folder: &WorkFolder,
    ) -> Finished<ArchiveFile> {
        let mut input = Timed::new(input);
        let mut out = OutputWriter::new(output);
        let mut scratch = ScratchFiles::new(folder, &self.space);
        let mut redact = self.steps.watch(Step::Redact, StepFile::Archive);
        let passed = redact.time(|| self.redactor.pass(&mut input, &mut out, &mut scratch));
        redact.exclude(input.waited.saturating_add(out.waited()));
        redact.count(input.bytes);
        self.bytes = out.bytes();
        let Finished { sink, sha256 } = out.finish();
        // An output that failed is the reason for a pass that failed.
        let sha256 = sha256.and_then(|sha256| {
            self.again = passed?;
            Ok(sha256)
        });
        Finished { sink, sha256 }
    }

    fn next_output(
        &mut self,
        folder: &WorkFolder,
        space: SpaceReservation,
    ) -> Result<(Output<ArchiveFile>, &'static str), Error> {
        let name = self
            .outputs
            .next()
            .ok_or(gateway_redact::Error::NotSettled { passes: 3 })?;
        let path = folder.path_of(name);
        let file = folder.create_file(name)?;
        let file = ArchiveFile::new(file, path.clone(), space, Cache::Bypass);
        let output = Output::start(file, &path, &self.steps, StepFile::Archive)?;
        Ok((output, name))
    }
}

/// The redaction's summary and the findings about what is to be published.
fn check(redactor: Redactor, archive: &mut File, info: &CheckpointInfo) -> Result<Redacted, Error> {
    let found = publishable(archive, info);
    // The runtime is to blame for what an archive lacks, not the redactor, whose own check would fail, too.
    if let Err(incomplete @ Error::Incomplete { .. }) = found {
        return Err(incomplete);
    }
    let mut redacted = redactor.finish(archive)?;
    redacted.findings = refuse_fatal([redacted.findings, found?].concat())?;
    Ok(redacted)
}

/// A source that measures how long its reader waits for it.
struct Timed<'a> {
    source: &'a mut dyn Read,
    waited: Duration,
    bytes: u64,
}

impl<'a> Timed<'a> {
    fn new(source: &'a mut dyn Read) -> Self {
        Self {
            source,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let began = Instant::now();
        let read = self.source.read(buffer);
        self.waited += began.elapsed();
        self.bytes += *read.as_ref().unwrap_or(&0) as u64;
        read
    }
}
