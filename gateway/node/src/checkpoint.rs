use std::path::Path;
use std::sync::Arc;

use gateway_proto::v1;
use tokio_util::task::TaskTracker;
use tonic::Status;

use crate::connection::Cut;
use crate::container::{Container, Turn};
use crate::dump::{Author, Dump};
use crate::location::{Location, Stopped};
use crate::{Behaviour, Moment, archive};

/// One `CheckpointContainer`, from the container that was found to the archive that is whole.
pub(crate) struct Checkpoint<'a> {
    pub(crate) container: &'a Arc<Container>,
    pub(crate) location: &'a Path,
    pub(crate) behaviour: &'a Behaviour,
    pub(crate) author: &'a Author,
    pub(crate) cut: Option<&'a Cut>,
    pub(crate) tasks: &'a TaskTracker,
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
        let turn = self
            .container
            .turns
            .take()
            .ok_or_else(|| self.failed(&"cannot pause a paused container"))
            .map(Arc::new)?;
        let freezing = FreezeUnlessDone::new(self.container, self.behaviour);
        self.behaviour.reach(Moment::BeforeDump).await?;
        let dump = self.dump(&turn).await?;
        self.behaviour.reach(Moment::AfterDump).await?;
        self.check_undisturbed(&turn)?;
        let mut location = Location::open(self.location, self.behaviour).await?;
        let written = archive::write(
            dump.folder(),
            self.author.dialect,
            self.behaviour.extra_pages(),
            &mut location,
        )
        .await;
        if let (Err(Stopped::Cut), Some(cut)) = (&written, self.cut) {
            cut.now();
        }
        written?;
        self.behaviour.reach(Moment::AfterArchive).await?;
        self.check_undisturbed(&turn)?;
        freezing.done();
        Ok(())
    }

    /// On a thread that may block, and to the end even when the caller goes away: what is stopped goes on, and until then
    /// it is still this checkpoint's turn.
    async fn dump(&self, turn: &Arc<Turn>) -> Result<Dump, Status> {
        let container = Arc::clone(self.container);
        let author = self.author.clone();
        let folder = container.folder.join("ctrd-checkpoint");
        let turn = Arc::clone(turn);
        let dumped = self.tasks.spawn_blocking(move || {
            let _turn = turn;
            Dump::take(&container, &author, folder)
        });
        let dumped = dumped.await;
        match dumped {
            Ok(Ok(dump)) => Ok(dump),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// containerd's second checkpoint clears away the folder in which the first one gathers its members.
    fn check_undisturbed(&self, turn: &Turn) -> Result<(), Status> {
        if turn.is_disturbed() {
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

/// Carries out [`crate::Fault::FreezeWhenAbandoned`]: dropped before its time, it freezes the container for good.
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
