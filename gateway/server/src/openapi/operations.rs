use serde_json::{Map, Value, json};

use super::parameters::{self, DOWNLOAD, EVERY, LIST};
use super::{problems, successes};
use crate::operation::Operation;

/// What is said of a call.
struct Told {
    /// Names the call in generated clients, so it never changes.
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    /// Beside those of its path and those that every call takes.
    parameters: &'static [&'static str],
}

pub(super) fn of(operation: Operation) -> Value {
    let told = told(operation);
    let responses = successes::of(operation)
        .into_iter()
        .chain(problems::of(operation));
    let responses: Map<_, _> = responses
        .map(|(status, response)| (status.as_str().to_owned(), response))
        .collect();
    let parameters = in_path(operation.template())
        .chain(told.parameters.iter().copied())
        .chain(EVERY);
    json!({
        "operationId": told.id,
        "tags": [told.tag],
        "summary": told.summary,
        "description": told.description,
        "parameters": parameters.map(parameters::reference).collect::<Vec<_>>(),
        "responses": responses,
    })
}

/// The names between braces.
fn in_path(template: &'static str) -> impl Iterator<Item = &'static str> {
    template
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn told(operation: Operation) -> Told {
    let (summary, description) = words(operation);
    let (id, tag, parameters): (_, _, &[_]) = match operation {
        Operation::Checkpoint => ("checkpointContainer", "kubelet", &["timeout", "Prefer"]),
        Operation::List => ("listCheckpoints", "checkpoints", &LIST),
        Operation::Inspect => ("inspectCheckpoint", "checkpoints", &[]),
        Operation::Delete => ("deleteCheckpoint", "checkpoints", &[]),
        Operation::Download => ("downloadArchive", "checkpoints", &DOWNLOAD),
        Operation::Hold => ("holdCheckpoint", "checkpoints", &[]),
        Operation::Release => ("releaseCheckpoint", "checkpoints", &[]),
        Operation::WhoAmI => ("whoAmI", "gateway", &[]),
        Operation::OpenApi => ("getOpenApi", "gateway", &[]),
    };
    Told {
        id,
        tag,
        summary,
        description,
        parameters,
    }
}

/// Summary and description.
fn words(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::Checkpoint => (
            "Take a checkpoint of a container",
            "The kubelet's call. Policies are asked whether the caller may `create`, and what is to be hidden. What has begun goes on, whether its caller waits or not.",
        ),
        Operation::List => (
            "See which checkpoints there are",
            "Policies are asked about each (`list`), and what the caller may not see is left out. There is more as long as `next` is not null, even where a page has nothing.",
        ),
        Operation::Inspect => (
            "See what is known of a checkpoint, and what is in its archive",
            "Processes, names of environment variables and mounts, without a variable's value. Policies are asked whether the caller may `inspect`.",
        ),
        Operation::Delete => (
            "Remove a checkpoint",
            "With its metadata and its original. Policies are asked whether the caller may `delete`; a hold forbids it to everybody.",
        ),
        Operation::Download => (
            "Fetch a checkpoint's archive",
            "Policies are asked whether the caller may `download`, or `download-original`.",
        ),
        Operation::Hold => (
            "Pin a checkpoint against removal",
            "Neither a caller nor a quota nor its age removes it then. Policies are asked whether the caller may `hold`.",
        ),
        Operation::Release => (
            "Let a pinned checkpoint go",
            "Policies are asked whether the caller may `hold`. No error where nothing pins it.",
        ),
        Operation::WhoAmI => (
            "See who the gateway takes one for",
            "The verified identity: what policies will be told.",
        ),
        Operation::OpenApi => (
            "See what there is to call",
            "`checkpoint-gateway openapi` prints the same.",
        ),
    }
}
