//! Describes each operation: its names, texts, parameters and answers.

use serde_json::{Map, Value, json};

use super::parameters::{self, DOWNLOAD, EVERY, LIST};
use super::{problems, successes};
use crate::operation::Operation;

/// The parts of an operation that depend on nothing else.
struct Description {
    /// Its name in generated clients, so it never changes.
    id: &'static str,
    tag: &'static str,
    /// Beside those of its path and those that every operation takes.
    parameters: &'static [&'static str],
}

pub(super) fn of(operation: Operation) -> Value {
    let Description {
        id,
        tag,
        parameters,
    } = description(operation);
    let (summary, description) = texts(operation);
    let parameters = in_path(operation.template())
        .chain(parameters.iter().copied())
        .chain(EVERY);
    let responses = successes::of(operation)
        .into_iter()
        .chain(problems::of(operation));
    let responses: Map<_, _> = responses
        .map(|(status, response)| (status.as_str().to_owned(), response))
        .collect();
    json!({
        "operationId": id,
        "tags": [tag],
        "summary": summary,
        "description": description,
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

fn description(operation: Operation) -> Description {
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
    Description {
        id,
        tag,
        parameters,
    }
}

/// Summary and description.
fn texts(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::Checkpoint => (
            "Checkpoint a container",
            "The kubelet's call. Policies decide whether the caller may `create`, and what is redacted. A checkpoint that has begun continues, even if its caller no longer waits.",
        ),
        Operation::List => (
            "List checkpoints",
            "Policies decide about each (`list`); those that the caller may not see are left out. There are more pages as long as `next` is not null, even if a page is empty.",
        ),
        Operation::Inspect => (
            "Show a checkpoint and the contents of its archive",
            "Processes, names of environment variables and mounts, without values of variables. Policies decide whether the caller may `inspect`.",
        ),
        Operation::Delete => (
            "Delete a checkpoint",
            "With its metadata and its original. Policies decide whether the caller may `delete`; with a hold, nobody may.",
        ),
        Operation::Download => (
            "Download a checkpoint's archive",
            "Policies decide whether the caller may `download`, or `download-original`.",
        ),
        Operation::Hold => (
            "Hold a checkpoint",
            "Neither a caller nor a quota nor its age removes it then. Policies decide whether the caller may `hold`.",
        ),
        Operation::Release => (
            "Release a held checkpoint",
            "Policies decide whether the caller may `hold`. Releasing a checkpoint without a hold is not an error.",
        ),
        Operation::WhoAmI => (
            "Show the caller's identity",
            "The verified identity, as policies get it.",
        ),
        Operation::OpenApi => (
            "Show this document",
            "`checkpoint-gateway openapi` prints the same.",
        ),
    }
}
