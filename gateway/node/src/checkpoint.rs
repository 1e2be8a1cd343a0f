//! Carries out `CheckpointContainer`.

use std::path::PathBuf;
use std::sync::Arc;

use gateway_proto::v1;
use tonic::Status;

use crate::archive;
use crate::author::{Author, Dialect};
use crate::behaviour::{Behaviour, Moment};
use crate::checkpoint_lock::CheckpointGuard;
use crate::connection::Abort;
use crate::container::Container;
use crate::dump::Dump;
use crate::location::{Location, WriteError};
use crate::tasks::Tasks;

/// One `CheckpointContainer` call for a container that exists.
pub(crate) struct Checkpoint {
    pub(crate) container: Arc<Container>,
    pub(crate) location: PathBuf,
    pub(crate) behaviour: Behaviour,
    pub(crate) author: Author,
    pub(crate) abort: Option<Abort>,
    pub(crate) tasks: Tasks,
}

impl Checkpoint {
    pub(crate) async fn run(self) -> Result<(), Status> {
        match self.author.dialect {
            Dialect::Containerd => self.take().await,
            Dialect::CriO => self.detached().await,
        }
    }

    /// CRI-O goes on with a checkpoint whose caller has left.
    async fn detached(self) -> Result<(), Status> {
        let (tracker, stop) = (self.tasks.tracker.clone(), self.tasks.stop.clone());
        let work = tracker.spawn(async move { stop.run_until_cancelled(self.take()).await });
        match work.await {
            Ok(Some(done)) => done,
            Ok(None) => Err(Status::unavailable("the runtime is shutting down")),
            Err(error) => Err(Status::internal(error.to_string())),
        }
    }

    async fn take(self) -> Result<(), Status> {
        if self.container.state() != v1::ContainerState::ContainerRunning {
            return Err(self.not_running());
        }
        let guard = self
            .container
            .checkpoint_lock
            .try_acquire()
            .ok_or_else(|| self.paused())
            .map(Arc::new)?;
        let freezing = FreezeUnlessDone::new(&self.container, &self.behaviour);
        self.behaviour.reach(Moment::BeforeDump).await?;
        let mut dump = self.dump(&guard).await?;
        self.behaviour.reach(Moment::AfterDump).await?;
        self.check_undisturbed(&guard)?;
        let mut location = Location::open(&self.location, &self.behaviour).await?;
        let written = self.write(&dump, &mut location).await;
        if let (Err(WriteError::Aborted), Some(abort)) = (&written, &self.abort) {
            abort.now();
        }
        written?;
        dump.exported();
        self.behaviour.reach(Moment::AfterArchive).await?;
        self.check_undisturbed(&guard)?;
        freezing.done();
        Ok(())
    }

    async fn write(&self, dump: &Dump, location: &mut Location) -> Result<(), WriteError> {
        if let Some(other) = self.behaviour.other_archive() {
            location.put(&other).await?;
            return location.finish().await;
        }
        let (dialect, extra) = (self.author.dialect, self.behaviour.extra_pages());
        archive::write(dump.folder(), dialect, extra, location).await
    }

    /// Dumps the container on a blocking thread. The dump holds `guard` and runs to its end even if the caller disconnects, so
    /// that the container is always thawed.
    async fn dump(&self, guard: &Arc<CheckpointGuard>) -> Result<Dump, Status> {
        let container = Arc::clone(&self.container);
        let author = self.author.clone();
        let folder = container.folder.join(match author.dialect {
            Dialect::Containerd => "ctrd-checkpoint",
            Dialect::CriO => "userdata",
        });
        let guard = Arc::clone(guard);
        let dumped = self.tasks.tracker.spawn_blocking(move || {
            let _guard = guard;
            Dump::create(&container, &author, folder)
        });
        let dumped = dumped.await;
        match dumped {
            Ok(Ok(dump)) => Ok(dump),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn not_running(&self) -> Status {
        let id = &self.container.id;
        match self.author.dialect {
            Dialect::Containerd => Status::unknown(format!(
                "container {id:?} is in {} state. only CONTAINER_RUNNING containers can be checkpointed",
                self.container.state().as_str_name(),
            )),
            Dialect::CriO => Status::unknown(format!(
                "failed to checkpoint container {id}: container {id} is not running"
            )),
        }
    }

    /// The error of a checkpoint while another one of the container goes on.
    fn paused(&self) -> Status {
        match self.author.dialect {
            Dialect::Containerd => self.failed(&"cannot pause a paused container"),
            Dialect::CriO => self.not_running(),
        }
    }

    /// A second checkpoint in containerd deletes the folder in which the first one collects its members.
    fn check_undisturbed(&self, guard: &CheckpointGuard) -> Result<(), Status> {
        if self.author.dialect == Dialect::Containerd && guard.is_disturbed() {
            return Err(Status::unknown(format!(
                "failed to create diff tar stream: lstat {}/ctrd-checkpoint/checkpoint/pages-1.img: no such file or \
                 directory",
                self.container.folder.display(),
            )));
        }
        Ok(())
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Status {
        Status::unknown(format!(
            "checkpointing container {:?} failed: {error}",
            self.container.id
        ))
    }
}

/// Implements [`crate::Fault::FreezeWhenAbandoned`]: freezes the container for good unless [`Self::done`] is called.
struct FreezeUnlessDone<'a>(Option<&'a Container>);

impl<'a> FreezeUnlessDone<'a> {
    fn new(container: &'a Container, behaviour: &Behaviour) -> Self {
        Self(behaviour.freezes_when_abandoned().then_some(container))
    }

    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for FreezeUnlessDone<'_> {
    fn drop(&mut self) {
        if let Some(container) = self.0 {
            container.process.abandon();
        }
    }
}
