//! The thread that takes one archive in, and outlives everybody who waits for it.

use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use gateway_core::{CheckpointId, Transport};
use gateway_redact::{Redaction, Redactor};
use tokio::sync::oneshot;

use crate::archive_file::{ArchiveFile, Cache};
use crate::bounds::Bounds;
use crate::directory::Directory;
use crate::drain::discard;
use crate::fifo::{Fifo, WriterGuard};
use crate::order::{Order, Ready};
use crate::original_writer::OriginalWriter;
use crate::output::Output;
use crate::publish::publish;
use crate::quota_reservation::QuotaReservation;
use crate::receive::{Completion, Source};
use crate::redaction_run::RedactionRun;
use crate::space::{Space, SpaceReservation};
use crate::spool::SpoolWriter;
use crate::step::{StepFile, Steps};
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
    pub(crate) steps: Steps,
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
    quota: QuotaReservation,
    transports: Arc<TransportState>,
    bounds: Bounds,
    steps: Steps,
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
            space,
            bounds,
            id,
            steps,
            ..
        } = job;
        // First of all: the runtime must not be asked for anything under a plan that cannot be carried out.
        let redactor = job.redaction.map(Redactor::new).transpose()?;
        let texts = redactor.as_ref().map(Redactor::texts);
        let folder = WorkFolder::create(job.directory, id)?;
        let estimate = job.reservation.estimate();
        let (mut reserved, quota) = job.reservation.into_parts();
        let redaction = match redactor {
            Some(redactor) => {
                let keep = &job.keep_original;
                let original = OriginalWriter::start(&folder, keep, &mut reserved, &steps)?;
                let (space, steps) = (Arc::clone(&space), steps.clone());
                Some(RedactionRun::new(redactor, bounds, space, original, steps))
            }
            None => None,
        };
        let opening = Opening {
            folder: &folder,
            reserved,
            bounds,
            steps: &steps,
        };
        let (source, guard) = match (job.transport, redaction) {
            (Transport::File, redaction) => opening.file(redaction),
            (Transport::Fifo, redaction) => opening.fifo(redaction, Cache::Bypass)?,
            // Without redaction no spool is needed: the page cache takes bytes as fast as the runtime writes.
            (Transport::Spool, None) => opening.fifo(None, Cache::Use)?,
            // The runtime is done before redaction begins, so both files may have the archive's size.
            (Transport::Spool, Some(run)) => opening.spool(run, space.reserve(estimate)?)?,
        };
        let location = folder.location().to_owned();
        let worker = Self {
            folder,
            source,
            quota,
            transports: job.transports,
            bounds,
            steps,
        };
        let ready = Ready {
            location,
            guard,
            texts,
        };
        Ok((worker, ready))
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
            quota,
            transports,
            bounds,
            steps,
        } = self;
        let (received, stalled) = source.receive(&folder, bounds, &steps);
        // The order comes before the guard is dropped, or with it.
        match orders.blocking_recv() {
            Ok(Order::Publish(info, reply)) => {
                let with = Completion {
                    folder: &folder,
                    transports: &transports,
                    bounds,
                    steps: &steps,
                    info: &info,
                };
                let outcome = received
                    .into_archive(&with)
                    .and_then(|archive| publish(&folder, &archive, quota, &info, &steps));
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

type Opened = (Source, Option<WriterGuard>);

/// What opening a source needs.
struct Opening<'a> {
    folder: &'a WorkFolder,
    /// For the file that is published.
    reserved: SpaceReservation,
    bounds: Bounds,
    steps: &'a Steps,
}

impl Opening<'_> {
    fn file(self, redaction: Option<RedactionRun>) -> Opened {
        let space = self.reserved;
        (Source::File { space, redaction }, None)
    }

    fn fifo(self, redaction: Option<RedactionRun>, cache: Cache) -> Result<Opened, Error> {
        let (fifo, guard, output) = self.fifo_and_output(cache)?;
        let source = Source::Fifo {
            fifo,
            output,
            redaction,
        };
        Ok((source, Some(guard)))
    }

    fn spool(self, redaction: RedactionRun, space: SpaceReservation) -> Result<Opened, Error> {
        // The file has no name; errors need one.
        let path = self.folder.path_of("spool");
        let file = self.folder.scratch().map_err(Error::io("create", &path))?;
        let spool = SpoolWriter::start(file, space, &path, self.steps)?;
        let (fifo, guard, output) = self.fifo_and_output(Cache::Bypass)?;
        let source = Source::Spool {
            fifo,
            spool,
            output,
            redaction,
        };
        Ok((source, Some(guard)))
    }

    fn fifo_and_output(
        self,
        cache: Cache,
    ) -> Result<(Fifo, WriterGuard, Output<ArchiveFile>), Error> {
        let folder = self.folder;
        let path = folder.path_of(RECEIVED);
        let file = folder.create_file(RECEIVED)?;
        let file = ArchiveFile::new(file, path.clone(), self.reserved, cache);
        let output = Output::start(file, &path, self.steps, StepFile::Archive)?;
        let (fifo, guard) = Fifo::create(folder.folder(), LOCATION, self.bounds.patience)
            .map_err(Error::io("make the FIFO", folder.location()))?;
        Ok((fifo, guard, output))
    }
}
