use std::path::{Path, PathBuf};

use gateway_core::{
    Checkpoint, CheckpointId, Container, HiddenField, RequestId, RuntimeInfo, Target, TraceId,
    Transport,
};
use tokio::sync::oneshot;

use crate::Error;
use crate::fifo::Hold;
use crate::worker::{self, Job, Order, Started};

/// A place for one archive, and the thread that takes it in. Dropped, it is discarded, in the background.
#[derive(Debug)]
#[must_use = "dropped, the archive is discarded"]
pub struct Intake {
    location: PathBuf,
    transport: Transport,
    orders: oneshot::Sender<Order>,
    hold: Option<Hold>,
}

/// What is known of a checkpoint besides its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The checkpoint's id: the one that the intake was asked for.
    pub id: CheckpointId,
    /// The container's name.
    pub target: Target,
    /// The container's full id.
    pub container_id: String,
    /// Kubernetes' UID of the pod.
    pub pod_uid: String,
    /// The container's image.
    pub image: String,
    /// All that the runtime told of the container.
    pub facts: Container,
    /// Whose user name asked for it.
    pub created_by: String,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// Who wrote it.
    pub runtime: RuntimeInfo,
    /// The request that made it.
    pub request_id: RequestId,
    /// The trace of that request.
    pub trace_id: Option<TraceId>,
    /// The fields of that request which its plan keeps out of records, by the plan's names.
    pub hidden: Vec<HiddenField>,
    /// When the archive was begun. Names it too, or the next free nanosecond does.
    pub created_at: jiff::Timestamp,
}

impl Intake {
    pub(crate) async fn open(job: Job) -> Result<Self, Error> {
        let transport = job.transport;
        let Started { ready, orders } = worker::start(job)?;
        let ready = ready.await.map_err(|_| Error::Worker)??;
        Ok(Self {
            location: ready.location,
            transport,
            orders,
            hold: ready.hold,
        })
    }

    /// The absolute path that the runtime is to write to.
    pub fn location(&self) -> &Path {
        &self.location
    }

    /// What that path is. The published metadata may say [`Transport::File`] all the same, where a runtime put a file in
    /// the FIFO's place.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The runtime reported success: waits for the rest, makes archive and metadata durable and then visible. On an error
    /// nothing is left. Once polled it goes on even if this future is dropped.
    pub async fn publish(self, about: About) -> Result<Checkpoint, Error> {
        let (reply, answer) = oneshot::channel();
        // Fails only without the thread, which the answer then shows.
        let _ = self.orders.send(Order::Publish(Box::new(about), reply));
        drop(self.hold);
        answer.await.unwrap_or(Err(Error::Worker))
    }

    /// The runtime failed: waits, within bounds, for what may still come, and removes every trace. Tells how many bytes
    /// had come: none may mean that the runtime takes no FIFO.
    pub async fn discard(self) -> u64 {
        let (reply, answer) = oneshot::channel();
        // As above.
        let _ = self.orders.send(Order::Discard(reply));
        drop(self.hold);
        answer.await.unwrap_or_default()
    }
}
