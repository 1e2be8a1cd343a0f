//! Carries out `CheckpointContainer`.

use std::path::Path;
use std::sync::Arc;

use gateway_proto::v1;
use tonic::Status;

use crate::archive;
use crate::author::Author;
use crate::behaviour::{Behaviour, Moment};
use crate::checkpoint_lock::CheckpointGuard;
use crate::connection::Abort;
use crate::container::Container;
use crate::dump::Dump;
use crate::location::{Location, WriteError};
use crate::tasks::Tasks;

/// One `CheckpointContainer` call for a container that exists.
pub(crate) struct Checkpoint<'a> {
    pub(crate) container: &'a Arc<Container>,
    pub(crate) location: &'a Path,
    pub(crate) behaviour: &'a Behaviour,
    pub(crate) author: &'a Author,
    pub(crate) abort: Option<&'a Abort>,
    pub(crate) tasks: &'a Tasks,
}

impl Checkpoint<'_> {
    pub(crate) async fn run(self) -> Result<(), Status> {
        if self.container.state() != v1::ContainerState::ContainerRunning {
            return Err(Status::unknown(format!(
                "container {:?} is in {} state. only CONTAINER_RUNNING containers can be checkpointed",
                self.container.id,
                self.container.state().as_str_name(),
            )));
        }
        let guard = self
            .container
            .checkpoint_lock
            .try_acquire()
            .ok_or_else(|| self.failed(&"cannot pause a paused container"))
            .map(Arc::new)?;
        let freezing = FreezeUnlessDone::new(self.container, self.behaviour);
        self.behaviour.reach(Moment::BeforeDump).await?;
        let dump = self.dump(&guard).await?;
        self.behaviour.reach(Moment::AfterDump).await?;
        self.check_undisturbed(&guard)?;
        let mut location = Location::open(self.location, self.behaviour).await?;
        let written = archive::write(
            dump.folder(),
            self.author.dialect,
            self.behaviour.extra_pages(),
            &mut location,
        )
        .await;
        if let (Err(WriteError::Aborted), Some(abort)) = (&written, self.abort) {
            abort.now();
        }
        written?;
        self.behaviour.reach(Moment::AfterArchive).await?;
        self.check_undisturbed(&guard)?;
        freezing.done();
        Ok(())
    }

    /// Dumps the container on a blocking thread. The dump holds `guard` and runs to its end even if the caller disconnects, so
    /// that the container is always thawed.
    async fn dump(&self, guard: &Arc<CheckpointGuard>) -> Result<Dump, Status> {
        let container = Arc::clone(self.container);
        let author = self.author.clone();
        let folder = container.folder.join("ctrd-checkpoint");
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

    /// A second checkpoint in containerd deletes the folder in which the first one collects its members.
    fn check_undisturbed(&self, guard: &CheckpointGuard) -> Result<(), Status> {
        if guard.is_disturbed() {
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
