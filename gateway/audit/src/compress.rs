//! Closed segments are compressed on a thread of their own, beside the appends. A segment is there whole at every moment,
//! under one name or the other or both; what breaks off is begun anew by the next.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::segment::{self, Segment, remove, sync_folder, with};

/// What the name of a compressed segment ends with while it is written.
const UNFINISHED: &str = ".unfinished";

/// The thread, begun with the first segment that there is to compress. Dropping this ends it.
#[derive(Debug)]
pub(crate) struct Compressor {
    log: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Compressor {
    /// For the closed segments of the log at `log`.
    pub(crate) fn of(log: &Path) -> Self {
        Self {
            log: log.to_owned(),
            stop: Arc::default(),
            thread: None,
        }
    }

    /// Has every segment that is closed by now compressed.
    pub(crate) fn wake(&mut self) {
        if self.thread.is_none() {
            let (news, waiting) = sync_channel(1);
            let (log, stop) = (self.log.clone(), Arc::clone(&self.stop));
            let thread = std::thread::Builder::new().name("audit-compress".to_owned());
            // Without a thread, segments stay as they are until the next start.
            self.thread = thread
                .spawn(move || work(&log, &waiting, &stop))
                .ok()
                .map(|thread| (news, thread));
        }
        if let Some((news, _)) = &self.thread {
            // A full channel holds the news already.
            let _ = news.try_send(());
        }
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some((news, thread)) = self.thread.take() {
            drop(news);
            // It looks at `stop` after each piece; nobody else may write to the same files after this.
            let _ = thread.join();
        }
    }
}

fn work(log: &Path, news: &Receiver<()>, stop: &AtomicBool) {
    while news.recv().is_ok() {
        for segment in segment::closed(log).unwrap_or_default() {
            // What cannot be compressed, as on a full disk, stays plain, and is tried again with the next one.
            let _ = compress(&segment, stop);
        }
    }
}

/// Compresses `segment` unless it is. The plain one goes when the compressed one is durable and was read back.
pub(crate) fn compress(segment: &Segment, stop: &AtomicBool) -> io::Result<()> {
    let unfinished = with(&segment.compressed(), UNFINISHED);
    remove(&unfinished)?;
    let plain = match File::open(&segment.plain) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let written = write(plain, &unfinished, stop);
    if written.is_err() {
        // The disk may be full.
        let _ = remove(&unfinished);
    }
    written?;
    std::fs::rename(&unfinished, segment.compressed())?;
    sync_folder(&segment.plain)?;
    remove(&segment.plain)?;
    sync_folder(&segment.plain)
}

fn write(plain: File, to: &Path, stop: &AtomicBool) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    let mut packed = GzEncoder::new(BufWriter::new(file), Compression::fast());
    let digest = pass(
        segment::lines(plain)?,
        |piece| packed.write_all(piece),
        stop,
    )?;
    packed
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    if pass(segment::lines(File::open(to)?)?, |_| Ok(()), stop)? == digest {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "what was compressed is not what was read",
    ))
}

/// Hands all that is in `from` to `to`, and tells its digest.
fn pass(
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
                "the log is closed",
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
