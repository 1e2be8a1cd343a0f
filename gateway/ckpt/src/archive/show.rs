//! Prints an inspection as text.

use std::collections::BTreeSet;
use std::fmt::Display;

use gateway_core::{Checkpoint, Inspection, Process, ProcessState, Sizes};
use indicatif::BinaryBytes;

use super::row::{MAX_LINE, row};
use super::summary::print_summary;
use super::{findings, process_tree, show_dump, show_open};
use crate::output::print;
use crate::printable::printable;
use crate::style::{BOLD, styled};
use crate::table::{Table, or_dash, plain};

/// Prints all of it.
pub(super) fn inspection(
    name: &str,
    found: &Inspection,
    metadata: &anyhow::Result<Option<Checkpoint>>,
) {
    print(styled(BOLD, &printable(name, MAX_LINE)));
    container(found);
    sizes(found.sizes);
    heading("Checkpoint");
    match metadata {
        Ok(Some(metadata)) => checkpoint(metadata),
        Ok(None) => {
            print("  no metadata beside it: who took it, and whether it is redacted, is unknown");
        }
        Err(error) => print(format_args!(
            "  {}",
            printable(&format!("{error:#}"), MAX_LINE)
        )),
    }
    if let Some(statistics) = &found.statistics {
        heading("Dump");
        show_dump::statistics(statistics);
    }
    heading("Processes");
    processes(found);
    opened(found);
    heading("Environment (names only)");
    environment(found);
    heading("Mounts");
    mounts(found);
    if !found.annotations.is_empty() {
        heading("Annotations (secrets masked)");
        show_dump::annotations(&found.annotations);
    }
    heading(&format!("Members ({})", found.member_count));
    members(found);
    problems(found);
    if !found.findings.is_empty() {
        heading("Findings");
        findings::print_all(&found.findings);
    }
}

/// What processes have open, as far as the archive has it.
fn opened(found: &Inspection) {
    if show_open::has_folders(found) {
        heading("Programs and folders");
        show_open::folders(found);
    }
    let mut processes = found.processes.iter();
    if processes.clone().any(|process| !process.files.is_empty()) {
        heading("Open files");
        show_open::files(found);
    }
    if processes.any(|process| !process.sockets.is_empty()) {
        heading("Sockets");
        show_open::sockets(found);
    }
}

fn heading(heading: &str) {
    print(format_args!("\n{}", styled(BOLD, heading)));
}

fn optional(name: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        row(name, value);
    }
}

fn container(found: &Inspection) {
    let container = &found.container;
    let runtime = found
        .dialect
        .map_or("unknown", gateway_core::Dialect::as_str);
    row("runtime", runtime);
    optional(
        "container",
        container.name.as_ref().or(container.runtime_name.as_ref()),
    );
    if let (Some(namespace), Some(pod)) = (&container.namespace, &container.pod) {
        row("pod", format_args!("{namespace}/{pod}"));
    }
    optional("id", container.id.as_ref());
    optional(
        "image",
        container.image_name.as_ref().or(container.image.as_ref()),
    );
    optional("OCI runtime", container.oci_runtime.as_ref());
    optional("runtime class", container.runtime_class.as_ref());
    optional("created", container.created_at);
    optional("checkpointed", container.checkpointed_at);
    optional("CRIU", found.criu.version.as_ref());
    optional("node", found.criu.host.as_ref());
}

fn sizes(sizes: Sizes) {
    let (archive, memory) = (BinaryBytes(sizes.archive), BinaryBytes(sizes.memory));
    row("size", format_args!("{archive}, of which memory {memory}"));
    if let Some(bytes) = sizes.rootfs_diff {
        let files = sizes
            .rootfs_files
            .map(|files| format!(" in {files} files"))
            .unwrap_or_default();
        row(
            "changed files",
            format_args!("{}{files}", BinaryBytes(bytes)),
        );
    }
}

fn checkpoint(metadata: &Checkpoint) {
    row(
        "requested by",
        format_args!("{} at {}", metadata.created_by, metadata.created_at),
    );
    optional("reason", metadata.reason.as_ref());
    row("sha256", &metadata.sha256);
    match &metadata.redaction {
        None => row(
            "redaction",
            "none: the archive contains every secret of the container",
        ),
        Some(redaction) => {
            print("\n  Redaction");
            print_summary(redaction);
        }
    }
}

fn processes(found: &Inspection) {
    for (depth, process) in process_tree::in_order(&found.processes) {
        let line = format!("{}{}", "  ".repeat(depth), in_words(process));
        print(format_args!("  {}", printable(&line, MAX_LINE + 2 * depth)));
    }
}

fn in_words(process: &Process) -> String {
    let command = process.command.as_deref().unwrap_or("?");
    let threads = if process.threads > 1 {
        format!(" ({} threads)", process.threads)
    } else {
        String::new()
    };
    let arguments = process
        .arguments
        .as_deref()
        .map(command_line)
        .unwrap_or_default();
    let state = match process.state {
        Some(state @ (ProcessState::Dead | ProcessState::Stopped)) => {
            format!(" ({})", state.as_str())
        }
        Some(ProcessState::Alive) | None => String::new(),
    };
    format!("{:>5} {command}{state}{threads}  {arguments}", process.pid)
}

/// Arguments as one would type them in a shell.
fn command_line(arguments: &[String]) -> String {
    let is_plain =
        |argument: &str| !argument.is_empty() && !argument.contains([' ', '\'', '"', '$', '\\']);
    let quoted = |argument: &String| {
        if is_plain(argument) {
            argument.clone()
        } else {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The container's variables first, then variables of single processes.
fn environment(found: &Inspection) {
    for name in &found.env {
        print(format_args!("  {}", printable(name, MAX_LINE)));
    }
    let known: BTreeSet<_> = found.env.iter().collect();
    for process in &found.processes {
        let names = process.env.iter().flatten();
        let names: Vec<_> = names
            .filter(|name| !known.contains(name))
            .map(String::as_str)
            .collect();
        if !names.is_empty() {
            let line = format!("process {} also has {}", process.pid, names.join(", "));
            print(format_args!("  {}", printable(&line, MAX_LINE)));
        }
    }
}

fn mounts(found: &Inspection) {
    let mut table = Table::without_headings().indented(2);
    for mount in &found.mounts {
        let (kind, source) = (mount.kind.as_deref(), mount.source.as_deref());
        let cells = [plain(&mount.destination), or_dash(kind), or_dash(source)];
        table.row_up_to(MAX_LINE, cells);
    }
    table.finish();
}

fn members(found: &Inspection) {
    let mut table = Table::without_headings().indented(2).right_aligned(&[0]);
    for member in &found.members {
        let size = BinaryBytes(member.bytes).to_string();
        table.row_up_to(MAX_LINE, [plain(size), plain(&member.name)]);
    }
    table.finish();
}

fn problems(found: &Inspection) {
    if !found.unreadable.is_empty() {
        heading("Members that are not what their names say");
        for name in &found.unreadable {
            print(format_args!("  {}", printable(name, MAX_LINE)));
        }
    }
    if found.truncated {
        print("\nThe lists above are incomplete: the archive has more than is shown.");
    }
}
