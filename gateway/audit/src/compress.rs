//! Compresses closed segments on a thread of its own, beside the writes. A segment is readable at every moment, under
//! one of its names or both. An interrupted compression is started again at the next wake-up.

use std::fs::File;
use std::io::{self, BufRead, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::write::GzEncoder;
use gateway_files::{NewFile, remove, sync_parent, with_suffix};

use crate::segment::{self, Segment};

/// The suffix that earlier versions gave a compressed segment while they wrote it.
pub(crate) const UNFINISHED: &str = ".unfinished";

/// The thread, started with the first segment. Dropping this stops it.
#[derive(Debug)]
pub(crate) struct Compressor {
    log: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Compressor {
    /// A compressor for the closed segments of the log at `log`.
    pub(crate) fn new(log: &Path) -> Self {
        Self {
            log: log.to_owned(),
            stop: Arc::default(),
            thread: None,
        }
    }

    /// Starts compressing all segments that are closed now.
    pub(crate) fn wake(&mut self) {
        if self.thread.is_none() {
            let (sender, receiver) = sync_channel(1);
            let (log, stop) = (self.log.clone(), Arc::clone(&self.stop));
            let thread = std::thread::Builder::new().name("audit-compress".to_owned());
            // Without a thread, segments stay uncompressed until the next start.
            self.thread = thread
                .spawn(move || run(&log, &receiver, &stop))
                .ok()
                .map(|thread| (sender, thread));
        }
        if let Some((sender, _)) = &self.thread {
            // A full channel holds a wake-up already.
            let _ = sender.try_send(());
        }
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            // The thread checks `stop` after each piece. When it has ended, another gateway may write to the same files.
            let _ = thread.join();
        }
    }
}

fn run(log: &Path, wake: &Receiver<()>, stop: &AtomicBool) {
    while wake.recv().is_ok() {
        for segment in segment::closed(log).unwrap_or_default() {
            // On an error, such as a full disk, the segment stays plain; the next wake-up tries again.
            let _ = compress(&segment, stop);
        }
    }
}

/// Compresses `segment` unless it is compressed. The plain file is removed once the compressed one is durable and was
/// read back.
pub(crate) fn compress(segment: &Segment, stop: &AtomicBool) -> io::Result<()> {
    // Earlier versions gave the compressed file this name while they wrote it.
    remove(&with_suffix(&segment.compressed(), UNFINISHED))?;
    let plain = match File::open(&segment.plain) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut compressed = NewFile::create(&segment.compressed())?;
    write(plain, &mut compressed, stop)?;
    compressed.replace()?;
    remove(&segment.plain)?;
    Ok(sync_parent(&segment.plain)?)
}

fn write(plain: File, to: &mut NewFile, stop: &AtomicBool) -> io::Result<()> {
    let mut gzip = GzEncoder::new(BufWriter::new(&mut *to), Compression::fast());
    let text = segment::decompressed(plain)?;
    let digest = copy_and_digest(text, |piece| gzip.write_all(piece), stop)?;
    let written = gzip.finish()?.into_inner();
    written.map_err(io::IntoInnerError::into_error)?.rewind()?;
    let text = segment::decompressed(to.file().try_clone()?)?;
    if copy_and_digest(text, |_| Ok(()), stop)? == digest {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "the compressed segment does not match the plain one",
    ))
}

/// Passes everything in `from` to `to`, and returns its digest.
fn copy_and_digest(
    mut from: impl BufRead,
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
    stop: &AtomicBool,
) -> io::Result<Vec<u8>> {
    let mut digest = Context::new(&SHA256);
    loop {
        let piece = from.fill_buf()?;
        if stop.load(Ordering::Relaxed) {
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the log was closed",
            ));
        }
        if piece.is_empty() {
            return Ok(digest.finish().as_ref().to_vec());
        }
        digest.update(piece);
        to(piece)?;
        let read = piece.len();
        from.consume(read);
    }
}
