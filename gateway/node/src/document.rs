//! Writes the JSON members of an archive and the verbose part of `ContainerStatus`.

use serde_json::{Value, json};

use crate::answer::nanoseconds;
use crate::author::Author;
use crate::container::Container;

/// `config.dump`.
pub(crate) fn config(container: &Container, author: &Author, started: jiff::Timestamp) -> Value {
    let sandbox = &container.sandbox;
    let name = &container.spec.name;
    let image = &container.spec.image;
    json!({
        "id": container.id,
        "name": format!("{name}_{}_{}_{}_{}", sandbox.name, sandbox.namespace, sandbox.uid, container.attempt),
        "rootfsImage": image,
        "rootfsImageRef": container.image_ref,
        "rootfsImageName": image,
        "runtime": author.runtime,
        "createdTime": container.created_at.to_string(),
        "checkpointedTime": started.to_string(),
        "restoredTime": "0001-01-01T00:00:00Z",
        "restored": false,
    })
}

/// `spec.dump`: an OCI runtime specification with the environment in clear text.
pub(crate) fn spec(container: &Container) -> Value {
    let sandbox = &container.sandbox;
    let env: Vec<String> = container
        .spec
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    json!({
        "ociVersion": "1.2.1",
        "process": {
            "user": { "uid": rustix::process::getuid().as_raw(), "gid": rustix::process::getgid().as_raw() },
            "args": container.spec.command,
            "env": env,
            "cwd": "/",
        },
        "root": { "path": "rootfs" },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"] },
            {
                "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
            },
            {
                "destination": "/etc/hosts", "type": "bind", "source": container.folder.join("hosts"),
                "options": ["rbind", "rprivate", "rw"],
            },
        ],
        "annotations": {
            "io.kubernetes.cri.container-name": container.spec.name,
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.image-name": container.spec.image,
            "io.kubernetes.cri.sandbox-id": sandbox.id,
            "io.kubernetes.cri.sandbox-name": sandbox.name,
            "io.kubernetes.cri.sandbox-namespace": sandbox.namespace,
            "io.kubernetes.cri.sandbox-uid": sandbox.uid,
        },
        "linux": {
            "cgroupsPath": format!("/checkpoint-gateway-node/{}", container.id),
            "namespaces": [{ "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }],
        },
    })
}

/// `bind.mounts`: CRI-O's list of the paths that must exist before a restore.
pub(crate) fn bind_mounts(container: &Container) -> Value {
    json!([{ "source": container.folder.join("hosts"), "destination": "/etc/hosts", "file_type": "file", "permissions": 420 }])
}

/// `status.dump`: CRI's status of the container.
pub(crate) fn status_dump(container: &Container) -> Value {
    let created = nanoseconds(container.created_at);
    json!({
        "id": container.id,
        "metadata": { "name": container.spec.name, "attempt": container.attempt },
        "state": i32::from(container.state()),
        "created_at": created,
        "started_at": created,
        "image": { "image": container.spec.image },
        "image_ref": container.image_ref,
        "labels": container.labels,
        "annotations": container.annotations,
        "log_path": container.log_path,
        "resources": { "linux": {} },
    })
}

/// `status`: containerd's own state of the container.
pub(crate) fn status(container: &Container) -> Value {
    let created = nanoseconds(container.created_at);
    json!({
        "Version": "v1",
        "Pid": container.pid(),
        "CreatedAt": created,
        "StartedAt": created,
        "FinishedAt": 0,
        "ExitCode": 0,
        "Reason": "",
        "Message": "",
        "Resources": { "linux": {} },
        "Restore": false,
    })
}

/// `info` in a verbose `ContainerStatus`.
pub(crate) fn info(container: &Container, author: &Author) -> Value {
    let sandbox = &container.sandbox;
    let envs: Vec<Value> = container
        .spec
        .env
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    json!({
        "sandboxID": sandbox.id,
        "pid": container.pid(),
        "removing": false,
        "runtimeType": author.runtime,
        "config": {
            "metadata": { "name": container.spec.name, "attempt": container.attempt },
            "image": { "image": container.spec.image, "user_specified_image": container.spec.image },
            "command": container.spec.command,
            "envs": envs,
            "labels": container.labels,
            "annotations": container.annotations,
            "log_path": container.log_path,
        },
        "runtimeSpec": spec(container),
    })
}
