use std::collections::BTreeSet;
use std::fmt::Display;

use gateway_core::{
    Checkpoint, Inspection, Masked, Mount, Process, RedactionSummary, RuleSummary, Sizes, one_line,
};

use super::tree;
use crate::output::print;
use crate::size::size;

/// Bytes of a line for people.
const MAX_LINE: usize = 300;

/// Everything, for people.
pub(super) fn inspection(
    name: &str,
    found: &Inspection,
    metadata: &anyhow::Result<Option<Checkpoint>>,
) {
    print(name);
    container(found);
    sizes(found.sizes);
    heading("Taken");
    match metadata {
        Ok(Some(metadata)) => taken(metadata),
        Ok(None) => {
            print(
                "  There is no metadata beside it: who took it, and whether it is redacted, is not known.",
            );
        }
        Err(error) => print(format_args!(
            "  {}",
            one_line(&format!("{error:#}"), MAX_LINE)
        )),
    }
    heading("Processes");
    for (depth, process) in tree::in_order(&found.processes) {
        let line = format!("{}{}", "  ".repeat(depth), told(process));
        print(format_args!("  {}", one_line(&line, MAX_LINE + 2 * depth)));
    }
    environment(found);
    heading("Mounts");
    found.mounts.iter().for_each(mount);
    heading(&format!("Members: {}", found.member_count));
    for member in &found.members {
        print(format_args!(
            "  {:>10}  {}",
            size(member.bytes),
            member.name
        ));
    }
    doubts(found);
}

/// What a redaction did, for people.
pub(super) fn summary(summary: &RedactionSummary) {
    for rule in &summary.rules {
        row(&rule.name, hidden(rule));
    }
    for rule in &summary.dropped {
        row(
            &rule.name,
            format_args!(
                "{} left out, {}",
                one_line(&rule.entry, MAX_LINE),
                times(rule.entries)
            ),
        );
    }
    row(
        "values",
        format_args!("{} searched for everywhere", summary.values_hidden),
    );
    if summary.values_too_short > 0 {
        row(
            "",
            format_args!(
                "{} too short for that, masked in environments only",
                summary.values_too_short
            ),
        );
    }
    for name in &summary.unreadable {
        row(
            "unreadable",
            format_args!("{}, searched as plain bytes", one_line(name, MAX_LINE)),
        );
    }
}

/// One line with a name before it.
pub(super) fn row(name: &str, told: impl Display) {
    print(format_args!("  {:<13} {told}", one_line(name, 40)));
}

fn heading(heading: &str) {
    print(format_args!("\n{heading}"));
}

fn container(found: &Inspection) {
    let container = &found.container;
    let maybe = |name, text: &Option<String>| {
        if let Some(text) = text {
            row(name, text);
        }
    };
    row(
        "runtime",
        found
            .dialect
            .map_or("unknown", gateway_core::Dialect::as_str),
    );
    maybe(
        "container",
        &container
            .name
            .clone()
            .or_else(|| container.runtime_name.clone()),
    );
    if let (Some(namespace), Some(pod)) = (&container.namespace, &container.pod) {
        row("pod", format_args!("{namespace}/{pod}"));
    }
    maybe("id", &container.id);
    maybe(
        "image",
        &container
            .image_name
            .clone()
            .or_else(|| container.image.clone()),
    );
    let times = [
        ("created", container.created_at),
        ("checkpointed", container.checkpointed_at),
    ];
    times
        .iter()
        .filter_map(|(name, at)| Some((name, (*at)?)))
        .for_each(|(name, at)| row(name, at));
    maybe("CRIU", &found.criu.version);
    maybe("node", &found.criu.host);
}

fn sizes(sizes: Sizes) {
    row(
        "size",
        format_args!(
            "{}, of which memory {}",
            size(sizes.archive),
            size(sizes.memory)
        ),
    );
    if let Some(bytes) = sizes.rootfs_diff {
        let files = sizes
            .rootfs_files
            .map(|files| format!(" ({files} files)"))
            .unwrap_or_default();
        row(
            "files",
            format_args!("{}{files} changed in the root filesystem", size(bytes)),
        );
    }
}

fn taken(metadata: &Checkpoint) {
    let Checkpoint {
        created_by,
        created_at,
        sha256,
        reason,
        redaction,
        ..
    } = metadata;
    row(
        "by",
        format_args!("{} at {created_at}", one_line(created_by, MAX_LINE)),
    );
    if let Some(reason) = reason {
        row("because", one_line(reason, MAX_LINE));
    }
    row("sha256", one_line(sha256, MAX_LINE));
    match redaction {
        Some(redaction) => summary(redaction),
        None => row(
            "redaction",
            "none: whoever holds this file holds the container's secrets",
        ),
    }
}

fn told(process: &Process) -> String {
    let command = process.command.as_deref().unwrap_or("?");
    let threads = if process.threads > 1 {
        format!(" ({} threads)", process.threads)
    } else {
        String::new()
    };
    let arguments = process
        .arguments
        .as_ref()
        .map(|arguments| line(arguments))
        .unwrap_or_default();
    format!("{:>5} {command}{threads}  {arguments}", process.pid)
}

/// A command line as one would type it.
fn line(arguments: &[String]) -> String {
    let plain =
        |argument: &String| !argument.is_empty() && !argument.contains([' ', '\'', '"', '$', '\\']);
    let quoted = |argument: &String| {
        if plain(argument) {
            argument.clone()
        } else {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Of the container first, then what single processes have beyond that.
fn environment(found: &Inspection) {
    heading("Environment: names only");
    found
        .env
        .iter()
        .for_each(|name| print(format_args!("  {name}")));
    let known: BTreeSet<_> = found.env.iter().collect();
    for process in &found.processes {
        let names = process
            .env
            .iter()
            .flatten()
            .filter(|name| !known.contains(name));
        let names: Vec<_> = names.map(String::as_str).collect();
        if !names.is_empty() {
            let line = format!("process {} has {}, too", process.pid, names.join(", "));
            print(format_args!("  {}", one_line(&line, MAX_LINE)));
        }
    }
}

fn mount(mount: &Mount) {
    let kind = mount.kind.as_deref().unwrap_or("-");
    let source = mount.source.as_deref().unwrap_or("-");
    print(format_args!(
        "  {:<28} {kind:<8} {source}",
        mount.destination
    ));
}

fn doubts(found: &Inspection) {
    if !found.unreadable.is_empty() {
        heading("Not what their names say");
        found
            .unreadable
            .iter()
            .for_each(|name| print(format_args!("  {name}")));
    }
    if found.truncated {
        print("\nSome of it was too much to be told.");
    }
}

fn hidden(rule: &RuleSummary) -> String {
    let all = rule
        .places
        .values()
        .fold(Masked::default(), |sum, masked| Masked {
            masks: sum.masks.saturating_add(masked.masks),
            bytes: sum.bytes.saturating_add(masked.bytes),
        });
    format!("hidden {}, {} bytes", times(all.masks), all.bytes)
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}
