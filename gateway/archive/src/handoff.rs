//! Hands buffers from one thread to the next, and back when they are done: a bounded number of them.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::buffer::Buffer;

/// A buffer with its first bytes filled.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) buffer: Buffer,
    pub(crate) length: usize,
}

/// The end that fills buffers. Dropped, the other end learns that no more will come.
#[derive(Debug)]
pub(crate) struct Giver {
    full: SyncSender<Chunk>,
    empty: Receiver<Buffer>,
}

/// The end that empties buffers.
#[derive(Debug)]
pub(crate) struct Taker {
    full: Receiver<Chunk>,
    empty: Sender<Buffer>,
}

/// Two ends with that many buffers between them.
pub(crate) fn handoff(buffers: usize) -> (Giver, Taker) {
    let (full, filled) = sync_channel(buffers);
    let (emptied, empty) = channel();
    for _ in 0..buffers {
        // Cannot fail: the receiver is right here.
        let _ = emptied.send(Buffer::new());
    }
    let taker = Taker {
        full: filled,
        empty: emptied,
    };
    (Giver { full, empty }, taker)
}

impl Chunk {
    /// The bytes that count.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or(&self.buffer)
    }
}

impl Giver {
    /// A buffer to fill. Waits while the other end has all of them; never if it is gone.
    pub(crate) fn buffer(&self) -> Buffer {
        self.empty.recv().unwrap_or_else(|_| Buffer::new())
    }

    /// Gives the first `length` bytes of a buffer to the other end.
    pub(crate) fn give(&self, buffer: Buffer, length: usize) {
        // Fails only if the other end is gone; its owner notices when it joins the thread.
        let _ = self.full.send(Chunk { buffer, length });
    }
}

impl Taker {
    /// The next buffer; `None` after the last.
    pub(crate) fn next(&self) -> Option<Chunk> {
        self.full.recv().ok()
    }

    /// Gives a buffer back.
    pub(crate) fn give_back(&self, buffer: Buffer) {
        // Fails once no more buffers are needed.
        let _ = self.empty.send(buffer);
    }

    /// Splits a thread off that sees every buffer before this end does: it takes from the first part and gives to the second.
    pub(crate) fn split(self) -> (Receiver<Chunk>, SyncSender<Chunk>, Self) {
        let Self { full, empty } = self;
        // Never full: there are fewer buffers than that.
        let (onward, seen) = sync_channel(64);
        (full, onward, Self { full: seen, empty })
    }
}
