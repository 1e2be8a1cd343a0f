//! Starts containers.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path};
use std::sync::Arc;

use crate::container::{Container, Sandbox, new_id};
use crate::error::Error;
use crate::pod::ContainerSpec;
use crate::process::Process;
use crate::shared::Shared;

impl Shared {
    /// Starts one container in a sandbox.
    pub(crate) fn launch(
        &self,
        sandbox: &Arc<Sandbox>,
        spec: ContainerSpec,
    ) -> Result<Arc<Container>, Error> {
        if spec.command.is_empty() {
            return Err(Error::NoCommand {
                container: spec.name,
            });
        }
        let id = new_id();
        let folder = self.state.join("containers").join(&id);
        let rootfs = folder.join("rootfs");
        make_folder(&rootfs)?;
        write_files(&rootfs, &spec)?;
        let attempt = self.attempt(&sandbox.id, &spec.name);
        let pod = format!("{}_{}_{}", sandbox.namespace, sandbox.name, sandbox.uid);
        let logs = self.state.join("logs").join(pod).join(&spec.name);
        make_folder(&logs)?;
        let log_path = logs.join(format!("{attempt}.log"));
        let process = Process::spawn(&spec, &rootfs, &log_path, &self.tasks).map_err(|source| {
            Error::Spawn {
                container: spec.name.clone(),
                source,
            }
        })?;
        let container = Arc::new(Container {
            id,
            sandbox: Arc::clone(sandbox),
            labels: sandbox.container_labels(&spec),
            annotations: annotations(&spec, attempt),
            image_ref: format!("{}@sha256:{}", repository(&spec.image), new_id()),
            spec,
            attempt,
            created_at: jiff::Timestamp::now(),
            folder,
            rootfs,
            log_path,
            process,
            checkpoint_lock: Arc::default(),
        });
        self.registry.lock().add_container(Arc::clone(&container));
        Ok(container)
    }

    fn attempt(&self, sandbox: &str, name: &str) -> u32 {
        let registry = self.registry.lock();
        let earlier = registry
            .containers_of(sandbox)
            .filter(|container| container.spec.name == name);
        u32::try_from(earlier.count()).unwrap_or(u32::MAX)
    }
}

/// Creates a folder and its missing parents with mode 0700.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .mode(0o700)
        .recursive(true)
        .create(path)
        .map_err(Error::state(path))
}

/// A container's annotations: its own, and those that a kubelet adds.
fn annotations(spec: &ContainerSpec, attempt: u32) -> BTreeMap<String, String> {
    let mut annotations = spec.annotations.clone();
    annotations.insert(
        "io.kubernetes.container.restartCount".to_owned(),
        attempt.to_string(),
    );
    annotations
}

fn write_files(rootfs: &Path, spec: &ContainerSpec) -> Result<(), Error> {
    for (name, contents) in &spec.files {
        let path = rootfs.join(name);
        if !name
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            // It would be created on this machine, outside of the container.
            let outside = io::Error::new(
                io::ErrorKind::InvalidInput,
                "not below the working directory",
            );
            return Err(Error::state(&path)(outside));
        }
        path.parent().map_or(Ok(()), make_folder)?;
        fs::write(&path, contents).map_err(Error::state(&path))?;
    }
    Ok(())
}

/// An image's name without its tag.
fn repository(image: &str) -> &str {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}
