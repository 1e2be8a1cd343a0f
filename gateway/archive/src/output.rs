//! Hashes and writes an archive's bytes, on threads of their own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread::{Builder, JoinHandle};

use aws_lc_rs::digest::{Context, SHA256};

use crate::Error;
use crate::handoff::{Chunk, Giver, Taker, handoff};
use crate::sink::{Buffers, Sink};
use crate::step::{Step, StepFile, Steps, Stopwatch};

/// Buffers per output: one being filled, one being hashed, one being written, three between, since the disk takes longer at
/// times.
const BUFFERS: usize = 6;

/// Takes an archive's bytes in order. A runtime may keep its container frozen until all are taken, so the thread that calls
/// this neither hashes nor waits for the disk, as long as buffers are left.
#[derive(Debug)]
pub(crate) struct Output<S> {
    giver: Option<Giver>,
    failed: Arc<AtomicBool>,
    hashing: Option<JoinHandle<Context>>,
    writing: Option<JoinHandle<Written<S>>>,
}

/// The end of an output.
#[derive(Debug)]
pub(crate) struct Finished<S> {
    /// The sink; `None` only after a defect.
    pub(crate) sink: Option<S>,
    /// The digest of all bytes in hex, or why they could not be written.
    pub(crate) sha256: Result<String, Error>,
}

#[derive(Debug)]
struct Written<S> {
    sink: S,
    fault: Option<Error>,
}

impl<S: Sink + Send + 'static> Output<S> {
    /// Starts the threads, for the file at `path`. To be called before the runtime is asked for its archive, so that a lack
    /// of threads shows early.
    pub(crate) fn start(
        sink: S,
        path: &Path,
        steps: &Steps,
        file: StepFile,
    ) -> Result<Self, Error> {
        let (giver, taker) = handoff(BUFFERS);
        let (full, hashed, taker) = taker.split();
        let failed = Arc::new(AtomicBool::new(false));
        let watch = steps.watch(Step::Hash, file);
        let hashing = Builder::new()
            .name("archive-hash".to_owned())
            .spawn(move || hash(&full, &hashed, watch))
            .map_err(Error::io("start a thread for", path))?;
        let watch = S::WRITES.then(|| steps.watch(Step::Write, file));
        let flag = Arc::clone(&failed);
        let writing = Builder::new()
            .name("archive-write".to_owned())
            .spawn(move || write(sink, &taker, &flag, watch))
            .map_err(Error::io("start a thread for", path))?;
        Ok(Self {
            giver: Some(giver),
            failed,
            hashing: Some(hashing),
            writing: Some(writing),
        })
    }

    /// Waits until everything is hashed and written.
    pub(crate) fn finish(mut self) -> Finished<S> {
        let (context, written) = self.join();
        let Some(Written { sink, fault }) = written else {
            return Finished {
                sink: None,
                sha256: Err(Error::Worker),
            };
        };
        let digest = context.ok_or(Error::Worker);
        let sha256 = fault.map_or(digest, Err);
        Finished {
            sink: Some(sink),
            sha256: sha256.map(|context| hex::encode(context.finish())),
        }
    }
}

impl<S> Buffers for Output<S> {
    fn giver(&self) -> Option<&Giver> {
        self.giver.as_ref()
    }

    fn failure(&self) -> &AtomicBool {
        &self.failed
    }
}

impl<S> Output<S> {
    fn join(&mut self) -> (Option<Context>, Option<Written<S>>) {
        self.giver = None;
        let context = self.hashing.take().map(JoinHandle::join);
        let written = self.writing.take().map(JoinHandle::join);
        (context.and_then(Result::ok), written.and_then(Result::ok))
    }
}

impl<S> Drop for Output<S> {
    /// Waits for the threads, which have nothing left to wait for: the sink's space is free afterwards.
    fn drop(&mut self) {
        self.join();
    }
}

fn hash(full: &Receiver<Chunk>, hashed: &SyncSender<Chunk>, mut watch: Stopwatch) -> Context {
    let mut context = Context::new(&SHA256);
    while let Ok(chunk) = full.recv() {
        watch.time(|| context.update(chunk.bytes()));
        watch.count(chunk.length as u64);
        // Fails only if the other thread is gone, which `finish` reports.
        let _ = hashed.send(chunk);
    }
    context
}

/// Writes everything that comes. Always takes buffers to the end: the runtime would block for ever otherwise.
fn write<S: Sink>(
    mut sink: S,
    taker: &Taker,
    failed: &AtomicBool,
    mut watch: Option<Stopwatch>,
) -> Written<S> {
    let mut fault = None;
    while let Some(chunk) = taker.next() {
        if fault.is_none() {
            let mut put = || sink.put(chunk.bytes());
            let written = match &mut watch {
                Some(watch) => {
                    watch.count(chunk.length as u64);
                    watch.time(put)
                }
                None => put(),
            };
            fault = written.err();
            failed.store(fault.is_some(), Ordering::Relaxed);
        }
        taker.give_back(chunk.buffer);
    }
    Written { sink, fault }
}
