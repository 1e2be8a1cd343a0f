//! SHA-256 of an archive, on a thread of its own.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use aws_lc_rs::digest::{Context, SHA256};

use crate::Error;

/// Bytes in one buffer.
pub(crate) const CHUNK: usize = 1 << 20;

/// Buffers per archive: one being filled, one being hashed, one between.
const BUFFERS: usize = 3;

/// SHA-256 beside the thread that reads and writes: hashing takes about as long as both of these, and a runtime may keep its
/// container frozen until all is read.
#[derive(Debug)]
pub(crate) struct Hasher {
    full: SyncSender<(Vec<u8>, usize)>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<Context>,
}

impl Hasher {
    /// Starts the thread, for the file at `path`. To be called before the runtime is asked for its archive, so that a lack
    /// of threads shows early.
    pub(crate) fn start(path: &Path) -> Result<Self, Error> {
        let (full, to_hash) = sync_channel(BUFFERS);
        let (hashed, empty) = channel();
        for _ in 0..BUFFERS {
            // Cannot fail: the receiver is right here.
            let _ = hashed.send(Vec::new());
        }
        let thread = Builder::new()
            .name("archive-hash".to_owned())
            .spawn(move || hash(&to_hash, &hashed))
            .map_err(Error::io("start a thread for", path))?;
        Ok(Self {
            full,
            empty,
            thread,
        })
    }

    /// A buffer of [`CHUNK`] bytes to fill. Waits while all buffers are still to be hashed.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        let mut buffer = self.empty.recv().unwrap_or_default();
        buffer.resize(CHUNK, 0);
        buffer
    }

    /// Hashes the next `length` bytes of the archive.
    pub(crate) fn feed(&self, buffer: Vec<u8>, length: usize) {
        // Fails only if the thread is gone, which `finish` reports.
        let _ = self.full.send((buffer, length));
    }

    /// The digest, as `sha256sum` prints it.
    pub(crate) fn finish(self) -> Result<String, Error> {
        drop(self.full);
        let digest = self.thread.join().map_err(|_| Error::Worker)?.finish();
        Ok(hex::encode(digest))
    }
}

fn hash(full: &Receiver<(Vec<u8>, usize)>, hashed: &Sender<Vec<u8>>) -> Context {
    let mut context = Context::new(&SHA256);
    while let Ok((buffer, length)) = full.recv() {
        context.update(buffer.get(..length).unwrap_or(&buffer));
        // Fails once no more buffers are needed.
        let _ = hashed.send(buffer);
    }
    context
}
