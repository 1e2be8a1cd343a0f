use std::time::Duration;

use tokio::sync::watch;
use tonic::{Code, Status};

use crate::Method;

/// How the node behaves: as a runtime should, but for the faults in here. They apply together, in the given order where
/// that matters, to every call that begins while the behaviour is in force.
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

/// One way in which a runtime can fall short.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Be slow: wait at that moment.
    Wait(Moment, Duration),
    /// Wait at that moment until the gate is opened.
    Hold(Moment, Gate),
    /// Fail at that moment with this gRPC code and text.
    Fail(Moment, Code, String),
    /// Answer as a runtime that cannot checkpoint: UNIMPLEMENTED, `method CheckpointContainer not implemented`.
    NoCheckpoint,
    /// Write the archive slowly: wait after every chunk (64 KiB at most).
    WaitBetweenChunks(Duration),
    /// Write that many bytes of the archive, then drop the caller's connection.
    CutConnectionAfter(u64),
    /// Write that many bytes of the archive, then fail for want of space and leave what is written.
    DiskFullAfter(u64),
    /// Put a new regular file in the place of whatever is at `location`, as a runtime that renames would.
    ReplaceLocation,
    /// Refuse a `location` that exists and is no regular file; as with containerd, only after the dump.
    RefuseFifo,
    /// Add a `pages` image of about that many bytes (whole pages), so that the archive is large. It is generated while
    /// it is written, and takes no space on the node.
    ExtraPages(u64),
    /// Leave a container frozen when its checkpoint is abandoned, as containerd 2.1.9 does, and call it running.
    FreezeWhenAbandoned,
}

/// A moment in a call at which a [`Fault`] can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A call of this method has arrived; nothing has been looked up.
    Call(Method),
    /// A checkpoint's container has been found running; it has not been touched.
    BeforeDump,
    /// The container is dumped and goes on; nothing is at `location`.
    AfterDump,
    /// The whole archive is at `location`; the caller has no answer.
    AfterArchive,
}

/// Holds calls back until it is opened, and tells when one has come; all clones are the same gate.
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

    /// Waits and fails as it is told for `moment`.
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

    pub(crate) fn cut_connection_after(&self) -> Option<u64> {
        self.find(|fault| match fault {
            Fault::CutConnectionAfter(bytes) => Some(*bytes),
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
    /// A gate that lets nothing through yet.
    pub fn closed() -> Self {
        Self(watch::Sender::new(Passage::default()))
    }

    /// Lets every call through, those that wait and those to come.
    pub fn open(&self) {
        self.0.send_modify(|passage| passage.open = true);
    }

    /// Waits until so many calls have come to the gate since it was made.
    pub async fn arrived(&self, calls: usize) {
        self.wait_for(|passage| passage.arrived >= calls).await;
    }

    async fn pass(&self) {
        self.0.send_modify(|passage| passage.arrived += 1);
        self.wait_for(|passage| passage.open).await;
    }

    async fn wait_for(&self, reached: impl Fn(&Passage) -> bool) {
        // An error would mean that every sender is gone, and `self` is one.
        let _ = self.0.subscribe().wait_for(reached).await;
    }
}
