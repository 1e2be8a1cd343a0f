//! Takes an archive in through the redactor, in as many passes as it needs.

use std::io::{Read, Seek};
use std::mem;
use std::sync::Arc;

use gateway_core::Transport;
use gateway_redact::Redactor;

use crate::archive_file::ArchiveFile;
use crate::bounds::Bounds;
use crate::drain::Drained;
use crate::findings::{publishable, refuse_fatal};
use crate::hasher::Hasher;
use crate::hashing_file::HashingFile;
use crate::intake_reader::IntakeReader;
use crate::original_writer::OriginalWriter;
use crate::runtime_file::RuntimeFile;
use crate::scratch::ScratchFiles;
use crate::space::{Space, SpaceReservation};
use crate::whole_archive::WholeArchive;
use crate::work_folder::{LOCATION, WorkFolder};
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
    ) -> Self {
        Self {
            redactor,
            bounds,
            space,
            original,
            outputs: OUTPUTS.into_iter(),
            again: false,
            bytes: 0,
        }
    }

    /// The length of the last output, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The first pass: as [`crate::drain::drain`], with the redactor between source and file. The digest is the output's.
    pub(crate) fn drain(
        &mut self,
        source: &mut impl Read,
        file: &mut ArchiveFile,
        hasher: Hasher,
        folder: &WorkFolder,
    ) -> Drained {
        let original = self.original.take();
        let mut reader = IntakeReader::new(source, self.bounds, original.as_ref());
        let outcome = self.pass(&mut reader, file, hasher, folder);
        let drained = reader.finish(outcome, folder.location());
        self.original = original;
        drained
    }

    /// Redacts the runtime's own file and removes it.
    pub(crate) fn redact_file(
        mut self,
        folder: &WorkFolder,
        space: SpaceReservation,
        info: &CheckpointInfo,
    ) -> Result<WholeArchive, Error> {
        let mut source = RuntimeFile::open(folder)?;
        let (mut file, name) = self.next_output(folder, space)?;
        let hasher = Hasher::start(folder.location())?;
        let drained = self.drain(&mut source.file, &mut file, hasher, folder);
        let sha256 = drained.sha256?;
        source.check_unchanged(drained.bytes)?;
        folder.remove(LOCATION);
        let (file, space) = file.into_parts();
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
        let found = publishable(&mut archive.file, info);
        // The runtime is to blame for what an archive lacks, not the redactor, whose own check would fail, too.
        if matches!(found, Err(Error::Incomplete { .. })) {
            return found.map(|_| archive);
        }
        let redacted = self.redactor.finish(&mut archive.file)?;
        archive.findings = refuse_fatal([redacted.findings, found?].concat())?;
        archive.redaction = Some(redacted.summary);
        Ok(archive)
    }

    fn pass_again(
        &mut self,
        folder: &WorkFolder,
        mut archive: WholeArchive,
    ) -> Result<WholeArchive, Error> {
        let path = folder.path_of(archive.name);
        let (mut file, name) = self.next_output(folder, archive.space)?;
        archive.file.rewind().map_err(Error::io("read", &path))?;
        let hasher = Hasher::start(&path)?;
        archive.sha256 = self.pass(&mut archive.file, &mut file, hasher, folder)?;
        folder.remove(mem::replace(&mut archive.name, name));
        (archive.file, archive.space) = file.into_parts();
        archive.bytes = self.bytes;
        Ok(archive)
    }

    fn pass(
        &mut self,
        input: &mut dyn Read,
        file: &mut ArchiveFile,
        hasher: Hasher,
        folder: &WorkFolder,
    ) -> Result<String, Error> {
        let mut out = HashingFile::new(file, hasher);
        let mut scratch = ScratchFiles::new(folder, &self.space);
        self.again = self.redactor.pass(input, &mut out, &mut scratch)?;
        self.bytes = out.bytes();
        out.finish()
    }

    fn next_output(
        &mut self,
        folder: &WorkFolder,
        space: SpaceReservation,
    ) -> Result<(ArchiveFile, &'static str), Error> {
        let name = self
            .outputs
            .next()
            .ok_or(gateway_redact::Error::NotSettled { passes: 3 })?;
        let file = folder.create_file(name)?;
        Ok((ArchiveFile::new(file, folder.path_of(name), space), name))
    }
}
