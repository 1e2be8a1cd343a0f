//! The thread that takes one archive in, and outlives everybody who waits for it.

use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use gateway_core::{CheckpointId, Transport};
use gateway_redact::{Redaction, Redactor};
use tokio::sync::oneshot;

use crate::archive_file::ArchiveFile;
use crate::bounds::Bounds;
use crate::directory::Directory;
use crate::drain::discard;
use crate::fifo::{Fifo, WriterGuard};
use crate::hasher::Hasher;
use crate::order::{Order, Ready};
use crate::original_writer::OriginalWriter;
use crate::publish::publish;
use crate::quota_reservation::QuotaReservation;
use crate::receive::Source;
use crate::redaction_run::RedactionRun;
use crate::space::{Space, SpaceReservation};
use crate::transport::TransportState;
use crate::work_folder::{LOCATION, RECEIVED, WorkFolder};
use crate::{Error, KeepOriginal, Reservation};

/// The time after which a stalled writer's FIFO is closed, although its runtime may then stay blocked: broken runtimes must
/// not keep threads for ever.
const LINGER: Duration = Duration::from_mins(10);

/// Everything that one thread is started with.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) directory: Arc<Directory>,
    pub(crate) space: Arc<Space>,
    pub(crate) transports: Arc<TransportState>,
    pub(crate) bounds: Bounds,
    pub(crate) keep_original: KeepOriginal,
    pub(crate) reservation: Reservation,
    pub(crate) id: CheckpointId,
    pub(crate) transport: Transport,
    pub(crate) redaction: Option<Redaction>,
}

/// A started thread: its first message, and the channel for its order.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) ready: oneshot::Receiver<Result<Ready, Error>>,
    pub(crate) orders: oneshot::Sender<Order>,
}

struct Worker {
    folder: WorkFolder,
    source: Source,
    redaction: Option<RedactionRun>,
    quota: QuotaReservation,
    transports: Arc<TransportState>,
    bounds: Bounds,
}

/// Starts a thread for one archive. It does everything that may block: it prepares the location, reports it, receives the
/// archive and then waits for its order.
pub(crate) fn start(job: Job) -> Result<Started, Error> {
    let (prepared, ready) = oneshot::channel();
    let (orders, next_order) = oneshot::channel();
    let path = job.directory.path().to_owned();
    Builder::new()
        .name("archive".to_owned())
        .spawn(move || match Worker::prepare(job) {
            Ok((worker, open)) => {
                // If nobody waits any more, the guard is dropped here and no order comes: the archive is discarded.
                let _ = prepared.send(Ok(open));
                worker.serve(next_order);
            }
            Err(error) => drop(prepared.send(Err(error))),
        })
        .map_err(Error::io("start a thread for an archive in", &path))?;
    Ok(Started { ready, orders })
}

impl Worker {
    fn prepare(job: Job) -> Result<(Self, Ready), Error> {
        let Job {
            space, bounds, id, ..
        } = job;
        // First of all: the runtime must not be asked for anything under a plan that cannot be carried out.
        let redactor = job.redaction.map(Redactor::new).transpose()?;
        let folder = WorkFolder::create(job.directory, id)?;
        let (mut reserved, quota) = job.reservation.into_parts();
        let redaction = match redactor {
            Some(redactor) => {
                let original = OriginalWriter::start(&folder, &job.keep_original, &mut reserved)?;
                Some(RedactionRun::new(redactor, bounds, space, original))
            }
            None => None,
        };
        let (source, guard) = match job.transport {
            Transport::File => (Source::File(reserved), None),
            Transport::Fifo => open_fifo(&folder, reserved, bounds)?,
        };
        let location = folder.location().to_owned();
        let worker = Self {
            folder,
            source,
            redaction,
            quota,
            transports: job.transports,
            bounds,
        };
        Ok((worker, Ready { location, guard }))
    }

    fn serve(self, orders: oneshot::Receiver<Order>) {
        if let Some(mut fifo) = self.take_in(orders) {
            fifo.set_patience(LINGER);
            let _ = discard(&mut fifo, &mut 0);
        }
    }

    /// Receives the archive and carries out the order. Returns the FIFO of a stalled writer. All resources are released
    /// before the answer, so that its receiver finds the store in its final state.
    fn take_in(self, orders: oneshot::Receiver<Order>) -> Option<Fifo> {
        let Self {
            folder,
            source,
            redaction,
            quota,
            transports,
            bounds,
        } = self;
        let (received, stalled) = source.receive(&folder, redaction, bounds);
        // The order comes before the guard is dropped, or with it.
        match orders.blocking_recv() {
            Ok(Order::Publish(info, reply)) => {
                let outcome = received
                    .into_archive(&folder, &transports, bounds, &info)
                    .and_then(|archive| publish(&folder, &archive, quota, &info));
                drop(folder);
                let _ = reply.send(outcome);
            }
            Ok(Order::Discard(reply)) => {
                let bytes = received.bytes(&folder);
                drop((folder, received, quota));
                let _ = reply.send(bytes);
            }
            Err(_) => drop((folder, received, quota)),
        }
        stalled
    }
}

fn open_fifo(
    folder: &WorkFolder,
    space: SpaceReservation,
    bounds: Bounds,
) -> Result<(Source, Option<WriterGuard>), Error> {
    let hasher = Hasher::start(folder.location())?;
    let file = folder.create_file(RECEIVED)?;
    let file = ArchiveFile::new(file, folder.path_of(RECEIVED), space);
    let (fifo, guard) = Fifo::create(folder.folder(), LOCATION, bounds.patience)
        .map_err(Error::io("make the FIFO", folder.location()))?;
    Ok((Source::Fifo { fifo, hasher, file }, Some(guard)))
}
