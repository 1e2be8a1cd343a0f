//! Prints a comparison of two archives as text.

use std::fmt::Display;

use gateway_core::{Mount, OpenFile, OpenSocket};
use gateway_redact::{Changes, Comparison, MemoryChanges, PageCounts, ProcessChange};
use indicatif::BinaryBytes;

use super::row::{MAX_LINE, row};
use crate::output::print;
use crate::printable::printable;
use crate::style::{BAD, BOLD, GOOD, styled};
use crate::table::{Table, plain};

/// Prints all of it.
pub(super) fn comparison(a: &str, b: &str, found: &Comparison) {
    print(format_args!(
        "{} {}",
        styled(BAD, "-"),
        printable(a, MAX_LINE)
    ));
    print(format_args!(
        "{} {}",
        styled(GOOD, "+"),
        printable(b, MAX_LINE)
    ));
    if found.same {
        print("  nothing differs of what is compared");
    }
    if !found.container.is_empty() {
        heading("Container");
        for change in &found.container {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let (before, after) = (text(&change.before), text(&change.after));
            row(&change.field, format_args!("{before} -> {after}"));
        }
    }
    if !found.processes.is_empty() {
        heading("Processes");
        found.processes.iter().for_each(process);
    }
    memory(&found.memory);
    list("Environment (names only)", &found.env, Clone::clone);
    list("Mounts", &found.mounts, mount);
    list("Annotations (keys only)", &found.annotations, Clone::clone);
    files(found);
    if !found.not_compared.is_empty() {
        heading("Not compared");
        for line in &found.not_compared {
            print(format_args!("  {}", printable(line, MAX_LINE)));
        }
    }
    if found.truncated {
        print("\nThe lists above are incomplete: the archives have more than is shown.");
    }
}

fn heading(heading: &str) {
    print(format_args!("\n{}", styled(BOLD, heading)));
}

fn gone(text: impl Display) {
    let text = printable(&text.to_string(), MAX_LINE);
    print(format_args!("  {} {text}", styled(BAD, "-")));
}

fn new(text: impl Display) {
    let text = printable(&text.to_string(), MAX_LINE);
    print(format_args!("  {} {text}", styled(GOOD, "+")));
}

fn list<T>(name: &str, changes: &Changes<T>, in_words: impl Fn(&T) -> String) {
    if !changes.is_empty() {
        heading(name);
        items(changes, "", in_words);
    }
}

fn items<T>(changes: &Changes<T>, before: &str, in_words: impl Fn(&T) -> String) {
    for item in &changes.gone {
        gone(format_args!("{before}{}", in_words(item)));
    }
    for item in &changes.new {
        new(format_args!("{before}{}", in_words(item)));
    }
    if changes.unlisted > 0 {
        print(format_args!("  {} more are not listed", changes.unlisted));
    }
}

fn process(change: &ProcessChange) {
    let name = format!(
        "{} {}",
        change.pid,
        change.command.as_deref().unwrap_or("?")
    );
    match change.change {
        "gone" => return gone(name),
        "new" => return new(name),
        _ => {}
    }
    let fields = if change.fields.is_empty() {
        String::new()
    } else {
        format!(": {}", change.fields.join(", "))
    };
    print(format_args!(
        "  ~ {}",
        printable(&(name + &fields), MAX_LINE)
    ));
    items(&change.env, "  variable ", Clone::clone);
    items(&change.files, "  ", file);
    items(&change.sockets, "  ", socket);
}

fn file(file: &OpenFile) -> String {
    let path = file.path.as_deref().unwrap_or_default();
    format!("descriptor {} {} {path}", file.fd, file.kind.as_str())
}

fn socket(socket: &OpenSocket) -> String {
    let texts = [
        &socket.protocol,
        &socket.state,
        &socket.local,
        &socket.remote,
    ];
    let texts: Vec<_> = texts.into_iter().flatten().map(String::as_str).collect();
    let family = socket.family.as_str();
    format!("descriptor {} {family} {}", socket.fd, texts.join(" "))
}

fn mount(mount: &Mount) -> String {
    let kind = mount.kind.as_deref().unwrap_or_default();
    let source = mount.source.as_deref().unwrap_or_default();
    format!("{} {kind} {source}", mount.destination)
}

/// One row for each process, and one for each mapping in which something differs.
fn memory(changes: &[MemoryChanges]) {
    if changes.is_empty() {
        return;
    }
    heading("Memory (pages)");
    let headings = ["PID", "EQUAL", "CHANGED", "NEW", "GONE", "MAPPING"];
    let mut table = Table::new(headings)
        .indented(2)
        .right_aligned(&[0, 1, 2, 3, 4]);
    let mut unlisted = 0;
    let mut add = |pid: u64, pages: PageCounts, name: String| {
        let numbers = [pid, pages.equal, pages.changed, pages.new, pages.gone];
        let [pid, same, other, new, gone] = numbers.map(|number| plain(number.to_string()));
        table.row_up_to(MAX_LINE, [pid, same, other, new, gone, plain(name)]);
    };
    for change in changes {
        let size = BinaryBytes(change.page_size);
        add(change.pid, change.pages, format!("all, pages of {size}"));
        let differing = change.mappings.iter();
        for mapping in differing.filter(|mapping| !mapping.pages.is_same()) {
            let name = format!("  {}  {}", mapping.range, mapping.name);
            add(change.pid, mapping.pages, name);
        }
        unlisted += change.unlisted;
    }
    table.finish();
    if unlisted > 0 {
        print(format_args!("  {unlisted} more mappings are not listed"));
    }
}

fn files(found: &Comparison) {
    let files = &found.files;
    if !files.presence.is_empty() || !files.changed.is_empty() {
        heading("Changed files (rootfs-diff.tar)");
        items(&files.presence, "", Clone::clone);
        for name in &files.changed {
            print(format_args!("  ~ {}", printable(name, MAX_LINE)));
        }
    }
    if !files.whole {
        print(
            "\nNot all changed files were compared: there are too many, or they are not a tar archive.",
        );
    }
}
