//! Annotations by which a runtime recognizes an image as a checkpoint.
//!
//! containerd looks for `org.criu.checkpoint.container.name` among the annotations of the manifest or index
//! that the image's name refers to (`internal/cri/server/container_checkpoint_linux.go`, `checkIfCheckpointOCIImage`). CRI-O looks for
//! `io.kubernetes.cri-o.annotations.checkpoint.name` (`server/container_restore.go`, same name; the keys are in its
//! `internal/annotations`). The other keys are checkpointctl's (`lib/annotations.go`; its `build` writes them); people and
//! tools read them without pulling the image.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use gateway_core::{Checkpoint, Dialect, Inspection};

/// The prefix of the keys of CRIU and containerd.
const CHECKPOINT: &str = "org.criu.checkpoint";
/// The prefix of CRI-O's own keys.
const OF_CRIO: &str = "io.kubernetes.cri-o.annotations.checkpoint";

/// The annotations for an image of this archive.
pub(super) fn of(
    found: &Inspection,
    metadata: Option<&Checkpoint>,
) -> Result<BTreeMap<String, String>> {
    let container = &found.container;
    let target = metadata.map(|metadata| &metadata.target);
    let either = |found: &Option<String>, known: Option<&str>| {
        found.clone().or_else(|| known.map(str::to_owned))
    };
    let name = either(&container.name, target.map(gateway_core::Target::container))
        .or_else(|| container.runtime_name.clone())
        .ok_or_else(|| anyhow!("the archive does not name its container"))?;
    let image = either(
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
            either(&container.pod, target.map(gateway_core::Target::pod)),
        ),
        (
            CHECKPOINT,
            "pod.namespace",
            either(
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
    let known = all
        .into_iter()
        .filter_map(|(family, key, value)| Some((format!("{family}.{key}"), value?)));
    Ok(known.filter(|(_, value)| !value.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runtimes_find_their_key() {
        let mut found = Inspection::default();
        assert!(
            of(&found, None).is_err(),
            "nothing to restore without a container"
        );
        found.container.name = Some("app".to_owned());
        found.container.image_ref = Some(String::new());
        let annotations = of(&found, None).unwrap();
        let app = |key: &str| (key.to_owned(), "app".to_owned());
        let keys = [
            "org.criu.checkpoint.container.name",
            "io.kubernetes.cri-o.annotations.checkpoint.name",
        ];
        assert_eq!(annotations, keys.map(app).into());
    }
}
