//! Writes the archive as the runtime sent it, sealed or plain, beside the redacted one.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::archive_file::{ArchiveFile, Cache};
use crate::output::{Finished, Output};
use crate::output_writer::OutputWriter;
use crate::sealing::SealedWriter;
use crate::space::SpaceReservation;
use crate::step::{Step, StepFile, Steps, Stopwatch};
use crate::work_folder::{ORIGINAL, WorkFolder};
use crate::{Error, KeepOriginal, Recipients};

/// Buffers per original: one being filled, one being sealed, two between, since the disk takes longer at times.
const BUFFERS: usize = 4;

/// Writes the runtime's bytes on a thread of its own, beside the redactor: sealing takes as long as hashing, and the
/// container may be frozen until all is read.
#[derive(Debug)]
pub(crate) struct OriginalWriter {
    full: Option<SyncSender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Result<WrittenOriginal, Error>>>,
}

/// A whole original in its work folder, not yet published, with the rest of its reservation.
#[derive(Debug)]
pub(crate) struct WrittenOriginal {
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// The number of recipients; `None` if it is not sealed.
    pub(crate) recipients: Option<usize>,
    _space: SpaceReservation,
}

impl OriginalWriter {
    /// Starts the thread, before the runtime is asked for anything; `None` where no original is kept.
    pub(crate) fn start(
        folder: &WorkFolder,
        keep: &KeepOriginal,
        space: &mut SpaceReservation,
        steps: &Steps,
    ) -> Result<Option<Self>, Error> {
        let recipients = match keep {
            KeepOriginal::No => return Ok(None),
            KeepOriginal::Plaintext => None,
            KeepOriginal::Sealed(recipients) => Some(recipients.clone()),
        };
        let path = folder.path_of(ORIGINAL);
        let file = folder.create_file(ORIGINAL)?;
        let file = ArchiveFile::new(file, path.clone(), space.split_half(), Cache::Bypass);
        Self::spawn(file, recipients, &path, steps).map(Some)
    }

    fn spawn(
        file: ArchiveFile,
        recipients: Option<Recipients>,
        path: &Path,
        steps: &Steps,
    ) -> Result<Self, Error> {
        let (full, to_keep) = sync_channel::<Vec<u8>>(BUFFERS);
        let (kept, empty) = channel();
        for _ in 0..BUFFERS {
            // Cannot fail: the receiver is right here.
            let _ = kept.send(Vec::new());
        }
        let output = Output::start(file, path, steps, StepFile::Original)?;
        let seal = steps.watch(Step::Seal, StepFile::Original);
        let work = move || write(output, recipients.as_ref(), &to_keep, &kept, seal);
        let thread = Builder::new()
            .name("archive-seal".to_owned())
            .spawn(work)
            .map_err(Error::io("start a thread for", path))?;
        Ok(Self {
            full: Some(full),
            empty,
            thread: Some(thread),
        })
    }

    /// Takes the next bytes that the runtime wrote. Waits while all buffers are still to be written, but never for a disk
    /// that failed: `finish` reports failures.
    pub(crate) fn put(&self, bytes: &[u8]) {
        let mut buffer = self.empty.recv().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        // Fails only if the thread is gone, which `finish` reports.
        let _ = self.full.as_ref().map(|full| full.send(buffer));
    }

    /// Waits for the thread and returns the whole original.
    pub(crate) fn finish(mut self) -> Result<WrittenOriginal, Error> {
        self.full = None;
        let kept = self.thread.take().map(JoinHandle::join);
        let kept = kept.and_then(Result::ok).unwrap_or(Err(Error::Worker));
        kept.map_err(|error| Error::Seal(Box::new(error)))
    }
}

impl Drop for OriginalWriter {
    /// Waits for the thread, which has nothing left to wait for: its reservation is free afterwards.
    fn drop(&mut self) {
        self.full = None;
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Writes everything that comes. Always takes buffers to the end: the runtime would block for ever otherwise.
fn write(
    output: Output<ArchiveFile>,
    recipients: Option<&Recipients>,
    full: &Receiver<Vec<u8>>,
    empty: &Sender<Vec<u8>>,
    watch: Stopwatch,
) -> Result<WrittenOriginal, Error> {
    let mut out = OutputWriter::new(output);
    let written = match recipients {
        Some(recipients) => seal(&mut out, recipients, full, empty, watch),
        None => copy(full, empty, |buffer| out.write_all(buffer)),
    };
    // Buffers that the writer did not take are discarded.
    while let Ok(buffer) = full.recv() {
        let _ = empty.send(buffer);
    }
    let bytes = out.bytes();
    let Finished { sink, sha256 } = out.finish();
    // An output that failed is the reason for a write that failed.
    let sha256 = sha256?;
    written?;
    let (file, space) = sink.ok_or(Error::Worker)?.into_parts()?;
    let recipients = recipients.map(Recipients::count);
    Ok(WrittenOriginal {
        file,
        bytes,
        sha256,
        recipients,
        _space: space,
    })
}

fn seal(
    out: &mut OutputWriter<ArchiveFile>,
    recipients: &Recipients,
    full: &Receiver<Vec<u8>>,
    empty: &Sender<Vec<u8>>,
    mut watch: Stopwatch,
) -> Result<(), Error> {
    let mut sealed = SealedWriter::begin(&mut *out, recipients).map_err(Error::Original)?;
    copy(full, empty, |buffer| {
        watch.count(buffer.len() as u64);
        watch.time(|| sealed.write_all(buffer))
    })?;
    sealed.finish().map_err(Error::Original)?;
    watch.exclude(out.waited());
    Ok(())
}

fn copy(
    full: &Receiver<Vec<u8>>,
    empty: &Sender<Vec<u8>>,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Error> {
    while let Ok(buffer) = full.recv() {
        let written = write(&buffer);
        // Fails once no more buffers are needed.
        let _ = empty.send(buffer);
        written.map_err(Error::Original)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Space;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    /// On a disk that reports plenty of space `plenty` times, then none.
    fn writer(file: File, plenty: u32, recipients: Option<Recipients>) -> OriginalWriter {
        let left = AtomicU32::new(plenty);
        let take = |left: u32| left.checked_sub(1);
        let free = move || {
            Ok(left
                .fetch_update(Relaxed, Relaxed, take)
                .map_or(0, |_| u64::MAX))
        };
        let reservation = Arc::new(Space::new(0, free)).reserve(0).unwrap();
        let file = ArchiveFile::new(file, "original".into(), reservation, Cache::Bypass);
        let (path, steps) = (Path::new("original"), Steps::default());
        OriginalWriter::spawn(file, recipients, path, &steps).unwrap()
    }

    fn recipients() -> Recipients {
        Recipients::parse(&[age::x25519::Identity::generate().to_public().to_string()]).unwrap()
    }

    #[test]
    fn a_full_disk_never_blocks_the_writer() {
        let full = || File::options().write(true).open("/dev/full").unwrap();
        let piece = vec![7; 1 << 20];
        let fresh = || tempfile::tempfile().unwrap();
        for recipients in [None, Some(recipients())] {
            // The file system is full, or the floor is reached: at once, or later.
            for (file, plenty) in [(full(), u32::MAX), (fresh(), 1), (fresh(), 2)] {
                let original = writer(file, plenty, recipients.clone());
                (0..40).for_each(|_| original.put(&piece));
                match original.finish().unwrap_err() {
                    Error::Seal(cause) => {
                        let expected = matches!(*cause, Error::Full { .. } | Error::NoSpace { .. });
                        assert!(expected, "{cause}");
                    }
                    other => panic!("{other}"),
                }
            }
        }
    }

    #[test]
    fn dropping_ends_the_thread_and_frees_the_space() {
        let space = Arc::new(Space::new(0, || Ok(100 << 20)));
        let file = ArchiveFile::new(
            tempfile::tempfile().unwrap(),
            "original".into(),
            space.reserve(60 << 20).unwrap(),
            Cache::Bypass,
        );
        let (path, steps) = (Path::new("original"), Steps::default());
        let original = OriginalWriter::spawn(file, Some(recipients()), path, &steps).unwrap();
        original.put(&[7; 1000]);
        assert!(space.reserve(60 << 20).is_err());
        drop(original);
        space.reserve(60 << 20).unwrap();
    }
}
