//! Faults that tests inject into a node.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tonic::{Code, Status};

use crate::activity::Method;

/// The behaviour of a node: a correct runtime with these faults. All faults apply, in the given order, to every call that
/// starts while the behaviour is set.
///
/// ```
/// use gateway_node::{Behaviour, Fault, Gate, Moment};
///
/// let gate = Gate::closed();
/// let slow_and_full = Behaviour::normal()
///     .with(Fault::Hold(Moment::BeforeDump, gate.clone()))
///     .with(Fault::DiskFullAfter(4096));
/// gate.open();
/// # drop(slow_and_full);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    faults: Vec<Fault>,
}

/// A fault of a runtime.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Wait at that moment.
    Wait(Moment, Duration),
    /// Wait at that moment until the gate is opened.
    Hold(Moment, Gate),
    /// Fail at that moment with this gRPC code and text.
    Fail(Moment, Code, String),
    /// Answer like a runtime that cannot checkpoint: UNIMPLEMENTED, `method CheckpointContainer not implemented`.
    NoCheckpoint,
    /// Wait after every chunk of the archive (64 KiB at most).
    WaitBetweenChunks(Duration),
    /// Write that many bytes of the archive, then abort the caller's connection.
    AbortConnectionAfter(u64),
    /// Write that many bytes of the archive, then fail with a full disk and keep the partial file.
    DiskFullAfter(u64),
    /// Replace whatever is at `location` with a new regular file, like a runtime that renames.
    ReplaceLocation,
    /// Refuse a `location` that exists and is not a regular file; like containerd, after the dump.
    RefuseFifo,
    /// Enlarge the archive with a `pages` image of about that many bytes (whole pages). It is generated while it is written
    /// and takes no space on the node.
    ExtraPages(u64),
    /// Write these bytes to `location` in place of the container's archive.
    OtherArchive(Arc<[u8]>),
    /// Leave a container frozen if its checkpoint is abandoned, and report it as running, like containerd 2.1.9.
    FreezeWhenAbandoned,
}

/// A moment in a call at which a [`Fault`] can occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A call of this method has arrived.
    Call(Method),
    /// The container of a checkpoint was found running and has not been touched.
    BeforeDump,
    /// The container is dumped and, in containerd's manner, runs again; nothing is written to `location` yet.
    AfterDump,
    /// The whole archive is at `location`; the caller has no answer yet.
    AfterArchive,
}

/// Holds calls until it is opened, and counts them. All clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<Passage>);

#[derive(Debug, Clone, Copy, Default)]
struct Passage {
    open: bool,
    arrived: usize,
}

impl Behaviour {
    /// No faults.
    pub fn normal() -> Self {
        Self::default()
    }

    /// This behaviour and one more fault.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Waits and fails according to the faults for `moment`.
    pub(crate) async fn reach(&self, moment: Moment) -> Result<(), Status> {
        for fault in &self.faults {
            match fault {
                Fault::Wait(at, time) if *at == moment => tokio::time::sleep(*time).await,
                Fault::Hold(at, gate) if *at == moment => gate.pass().await,
                Fault::Fail(at, code, text) if *at == moment => {
                    return Err(Status::new(*code, text));
                }
                Fault::NoCheckpoint if moment == Moment::Call(Method::CheckpointContainer) => {
                    return Err(Status::unimplemented(
                        "method CheckpointContainer not implemented",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn wait_between_chunks(&self) -> Option<Duration> {
        self.find(|fault| match fault {
            Fault::WaitBetweenChunks(time) => Some(*time),
            _ => None,
        })
    }

    pub(crate) fn abort_connection_after(&self) -> Option<u64> {
        self.find(|fault| match fault {
            Fault::AbortConnectionAfter(bytes) => Some(*bytes),
            _ => None,
        })
    }

    pub(crate) fn disk_full_after(&self) -> Option<u64> {
        self.find(|fault| match fault {
            Fault::DiskFullAfter(bytes) => Some(*bytes),
            _ => None,
        })
    }

    pub(crate) fn extra_pages(&self) -> Option<u64> {
        self.find(|fault| match fault {
            Fault::ExtraPages(bytes) => Some(*bytes),
            _ => None,
        })
    }

    pub(crate) fn other_archive(&self) -> Option<Arc<[u8]>> {
        self.find(|fault| match fault {
            Fault::OtherArchive(bytes) => Some(Arc::clone(bytes)),
            _ => None,
        })
    }

    pub(crate) fn replaces_location(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| matches!(fault, Fault::ReplaceLocation))
    }

    pub(crate) fn refuses_fifo(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| matches!(fault, Fault::RefuseFifo))
    }

    pub(crate) fn freezes_when_abandoned(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| matches!(fault, Fault::FreezeWhenAbandoned))
    }

    fn find<T>(&self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.faults.iter().find_map(pick)
    }
}

impl From<Fault> for Behaviour {
    fn from(fault: Fault) -> Self {
        Self::normal().with(fault)
    }
}

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(watch::Sender::new(Passage::default()))
    }

    /// Lets every call pass, present and future.
    pub fn open(&self) {
        self.0.send_modify(|passage| passage.open = true);
    }

    /// Waits until that many calls have reached the gate since it was created.
    pub async fn arrived(&self, calls: usize) {
        self.wait_for(|passage| passage.arrived >= calls).await;
    }

    async fn pass(&self) {
        self.0.send_modify(|passage| passage.arrived += 1);
        self.wait_for(|passage| passage.open).await;
    }

    async fn wait_for(&self, reached: impl Fn(&Passage) -> bool) {
        // Cannot fail: `self` is a sender.
        let _ = self.0.subscribe().wait_for(reached).await;
    }
}
