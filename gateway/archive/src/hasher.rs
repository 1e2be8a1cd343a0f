use std::fmt::Write;
use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use aws_lc_rs::digest::{Context, SHA256};

use crate::Error;

/// Bytes in one buffer.
pub(crate) const CHUNK: usize = 1 << 20;

/// Buffers per archive: one being filled, one being hashed, one between.
const BUFFERS: usize = 3;

/// SHA-256 on a thread of its own, beside the one that reads and writes: hashing takes about as long as both of these, and
/// a runtime may keep its container frozen until all is read.
#[derive(Debug)]
pub(crate) struct Hasher {
    full: SyncSender<(Vec<u8>, usize)>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<Context>,
}

impl Hasher {
    /// Started before the runtime is touched, so that a lack of threads cannot show while its bytes come.
    pub(crate) fn start() -> io::Result<Self> {
        let (full, to_hash) = sync_channel(BUFFERS);
        let (hashed, empty) = channel();
        for _ in 0..BUFFERS {
            // Fails only without a receiver, which is right here.
            let _ = hashed.send(Vec::new());
        }
        let thread = Builder::new()
            .name("archive-hash".to_owned())
            .spawn(move || hash(&to_hash, &hashed))?;
        Ok(Self {
            full,
            empty,
            thread,
        })
    }

    /// A buffer of [`CHUNK`] bytes to fill. Waits while all are still to be hashed.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        let mut buffer = self.empty.recv().unwrap_or_default();
        buffer.resize(CHUNK, 0);
        buffer
    }

    /// The next `length` bytes of the archive.
    pub(crate) fn feed(&self, buffer: Vec<u8>, length: usize) {
        // Fails only without the thread, which `finish` reports.
        let _ = self.full.send((buffer, length));
    }

    /// The digest, as `sha256sum` prints it.
    pub(crate) fn finish(self) -> Result<String, Error> {
        drop(self.full);
        let digest = self.thread.join().map_err(|_| Error::Worker)?.finish();
        Ok(hex(digest.as_ref()))
    }
}

/// `bytes` in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn hash(full: &Receiver<(Vec<u8>, usize)>, hashed: &Sender<Vec<u8>>) -> Context {
    let mut context = Context::new(&SHA256);
    while let Ok((buffer, length)) = full.recv() {
        context.update(buffer.get(..length).unwrap_or(&buffer));
        // Fails once nobody needs buffers any more.
        let _ = hashed.send(buffer);
    }
    context
}
