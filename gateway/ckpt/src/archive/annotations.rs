//! How a runtime knows that an image is a checkpoint.
//!
//! containerd looks for `org.criu.checkpoint.container.name` among the annotations of whatever the image's name stands for,
//! manifest or index (`internal/cri/server/container_checkpoint_linux.go`, `checkIfCheckpointOCIImage`). CRI-O looks for
//! `io.kubernetes.cri-o.annotations.checkpoint.name` (`server/container_restore.go`, same name; the keys are in its
//! `internal/annotations`). The other keys are checkpointctl's (`lib/annotations.go`; its `build` writes them): what people
//! and tools see of a checkpoint without pulling it.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use gateway_core::{Checkpoint, Dialect, Inspection};

/// What CRIU's and containerd's keys begin with.
const CHECKPOINT: &str = "org.criu.checkpoint";
/// What CRI-O's own begin with.
const OF_CRIO: &str = "io.kubernetes.cri-o.annotations.checkpoint";

/// The annotations of the image of this archive.
pub(super) fn of(
    found: &Inspection,
    metadata: Option<&Checkpoint>,
) -> Result<BTreeMap<String, String>> {
    let container = &found.container;
    let target = metadata.map(|metadata| &metadata.target);
    let own = |text: &Option<String>, told: Option<&str>| {
        text.clone().or_else(|| told.map(str::to_owned))
    };
    let name = own(&container.name, target.map(gateway_core::Target::container))
        .or_else(|| container.runtime_name.clone())
        .ok_or_else(|| anyhow!("the archive does not name its container"))?;
    let image = own(
        &container.image,
        metadata.map(|metadata| metadata.image.as_str()),
    );
    let image_name = container.image_name.clone().or_else(|| image.clone());
    let engine = found.dialect.map(|dialect| match dialect {
        Dialect::Containerd => "containerd".to_owned(),
        Dialect::CriO => "CRI-O".to_owned(),
    });
    let all = [
        (CHECKPOINT, "container.name", Some(name.clone())),
        (CHECKPOINT, "engine.name", engine),
        (
            CHECKPOINT,
            "pod.name",
            own(&container.pod, target.map(gateway_core::Target::pod)),
        ),
        (
            CHECKPOINT,
            "pod.namespace",
            own(
                &container.namespace,
                target.map(gateway_core::Target::namespace),
            ),
        ),
        (CHECKPOINT, "rootfsImageUserRequested", image.clone()),
        (CHECKPOINT, "rootfsImageName", image_name.clone()),
        (CHECKPOINT, "rootfsImageID", container.image_ref.clone()),
        (CHECKPOINT, "runtime.name", container.oci_runtime.clone()),
        (CHECKPOINT, "criu.version", found.criu.version.clone()),
        (CHECKPOINT, "host.arch", found.criu.architecture.clone()),
        (OF_CRIO, "name", Some(name)),
        (OF_CRIO, "rawImageName", image),
        (OF_CRIO, "rootfsImageName", image_name),
        (OF_CRIO, "rootfsImageID", container.image_ref.clone()),
    ];
    let told = all
        .into_iter()
        .filter_map(|(family, key, value)| Some((format!("{family}.{key}"), value?)));
    Ok(told.filter(|(_, value)| !value.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runtimes_find_the_key_that_they_look_for() {
        let mut found = Inspection::default();
        assert!(
            of(&found, None).is_err(),
            "an image of no container is none that can be restored"
        );
        found.container.name = Some("app".to_owned());
        found.container.image_ref = Some(String::new());
        let told = of(&found, None).unwrap();
        let app = |key: &str| (key.to_owned(), "app".to_owned());
        let keys = [
            "org.criu.checkpoint.container.name",
            "io.kubernetes.cri-o.annotations.checkpoint.name",
        ];
        assert_eq!(told, keys.map(app).into());
    }
}
