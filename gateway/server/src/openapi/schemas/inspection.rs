use gateway_core::Dialect;
use serde_json::{Value, json};

use super::words::{words, yes_or_no};
use super::{count, date_time, list, object, or_null, reference, text};

pub(super) fn schemas() -> [(&'static str, Value); 7] {
    [
        ("Inspection", inspection()),
        ("InspectedContainer", container()),
        ("Criu", criu()),
        ("Mount", mount()),
        ("Process", process()),
        ("Sizes", sizes()),
        ("Member", member()),
    ]
}

fn inspection() -> Value {
    let properties = json!({
        "dialect": or_null(words!(Dialect: Containerd, CriO; "Whose archive it is, where its members tell.")),
        "container": reference("InspectedContainer"),
        "criu": reference("Criu"),
        "env": names("The names of the environment variables, in the order of `spec.dump`."),
        "mounts": list(&reference("Mount"), "The mounts, in the order of `spec.dump`."),
        "processes": list(&reference("Process"), "The processes: parents come before their children."),
        "sizes": reference("Sizes"),
        "members": list(&reference("Member"), "The archive's members, in its order."),
        "member_count": count("How many members there are, those included that are not listed."),
        "truncated": yes_or_no("Whether something is left out because there was too much of it."),
        "unreadable": names("Members that are not what their names say."),
    });
    object(
        "What an archive tells about its container, without a value of an environment variable.",
        properties,
        &[],
    )
}

fn container() -> Value {
    let properties = json!({
        "id": or_null(text("The runtime's full id.")),
        "runtime_name": or_null(text("The runtime's own name for it.")),
        "name": or_null(text("Its name in its pod.")),
        "pod": or_null(text("The pod's name.")),
        "namespace": or_null(text("The pod's namespace.")),
        "image": or_null(text("The image, as the pod names it.")),
        "image_name": or_null(text("The image's name as the runtime resolved it.")),
        "image_ref": or_null(text("The image's digest or id.")),
        "oci_runtime": or_null(text("The OCI runtime: `runc`, `crun`, ...")),
        "created_at": or_null(date_time("When the container was created.")),
        "checkpointed_at": or_null(date_time("When it was checkpointed.")),
    });
    object(
        "A container as its runtime describes it in an archive.",
        properties,
        &[],
    )
}

fn criu() -> Value {
    let properties = json!({
        "image_version": or_null(count("The version of the images' format.")),
        "version": or_null(text("CRIU's version.")),
        "host": or_null(text("The node and its kernel.")),
        "architecture": or_null(text("The node's architecture, as OCI images name it.")),
    });
    object("What dumped the processes.", properties, &[])
}

fn mount() -> Value {
    let properties = json!({
        "destination": text("Where in the container."),
        "type": or_null(text("`bind`, `tmpfs`, `proc`, ...")),
        "source": or_null(text("What on the node.")),
    });
    object("A mount of the container.", properties, &[])
}

fn process() -> Value {
    let properties = json!({
        "pid": count("Its id."),
        "parent": count("Its parent's id; 0 where the parent is outside."),
        "command": or_null(text("The name of its first thread (`comm`).")),
        "threads": count("How many threads it has."),
        "arguments": or_null(names("Its command line, as its memory has it.")),
        "env": or_null(names("The names of its environment variables, as its memory has them.")),
    });
    object(
        "A process of the container, with the numbers that it has inside.",
        properties,
        &[],
    )
}

fn sizes() -> Value {
    let properties = json!({
        "archive": count("All of the archive."),
        "memory": count("The processes' memory pages."),
        "rootfs_diff": or_null(count("What the container wrote to its root file system, as it is stored.")),
        "rootfs_files": or_null(count("How many regular files that is.")),
    });
    object("Sizes in bytes.", properties, &[])
}

fn member() -> Value {
    let properties = json!({
        "name": text("Its name."),
        "bytes": count("How much of the archive its contents take, in bytes."),
    });
    object("A member of an archive.", properties, &[])
}

fn names(description: &str) -> Value {
    list(&json!({ "type": "string" }), description)
}
