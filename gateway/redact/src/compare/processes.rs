//! Compares what processes are and have open.

use std::collections::BTreeMap;

use gateway_core::{Inspection, OpenFile, OpenSocket, Process};

use super::report::{Changes, ProcessChange};

/// The processes that differ, by id.
pub(super) fn changes(before: &Inspection, after: &Inspection) -> Vec<ProcessChange> {
    let (before, after) = (by_pid(before), by_pid(after));
    let mut pids: Vec<_> = before.keys().chain(after.keys()).copied().collect();
    pids.sort_unstable();
    pids.dedup();
    let change = |pid: u64| match (before.get(&pid), after.get(&pid)) {
        (Some(process), None) => Some(alone(process, "gone")),
        (None, Some(process)) => Some(alone(process, "new")),
        (Some(before), Some(after)) => changed(before, after),
        (None, None) => None,
    };
    pids.into_iter().filter_map(change).collect()
}

fn by_pid(found: &Inspection) -> BTreeMap<u64, &Process> {
    let processes = found.processes.iter();
    processes.map(|process| (process.pid, process)).collect()
}

fn alone(process: &Process, change: &'static str) -> ProcessChange {
    ProcessChange {
        pid: process.pid,
        command: process.command.clone(),
        change,
        fields: Vec::new(),
        env: Changes::default(),
        files: Changes::default(),
        sockets: Changes::default(),
    }
}

fn changed(before: &Process, after: &Process) -> Option<ProcessChange> {
    let fields = [
        ("command", before.command != after.command),
        ("arguments", before.arguments != after.arguments),
        ("parent", before.parent != after.parent),
        ("threads", before.threads != after.threads),
        ("state", before.state != after.state),
        ("executable", before.executable != after.executable),
        ("cwd", before.cwd != after.cwd),
        ("root", before.root != after.root),
    ];
    let differing = fields.into_iter().filter(|(_, differs)| *differs);
    let change = ProcessChange {
        fields: differing.map(|(field, _)| field).collect(),
        env: Changes::between(before.env.iter().flatten(), after.env.iter().flatten()),
        files: Changes::between(&files(before), &files(after)),
        sockets: Changes::between(&sockets(before), &sockets(after)),
        ..alone(after, "changed")
    };
    let differs = !change.fields.is_empty()
        || !change.env.is_empty()
        || !change.files.is_empty()
        || !change.sockets.is_empty();
    differs.then_some(change)
}

/// Without positions, sizes and CRIU's numbers, which differ between any two checkpoints.
fn files(process: &Process) -> Vec<OpenFile> {
    let files = process.files.iter().cloned();
    files
        .map(|file| OpenFile {
            position: None,
            bytes: None,
            pipe: None,
            ..file
        })
        .collect()
}

/// Without the sizes of buffers, which the kernel changes as it likes.
fn sockets(process: &Process) -> Vec<OpenSocket> {
    let sockets = process.sockets.iter().cloned();
    sockets
        .map(|socket| OpenSocket {
            send_buffer: None,
            receive_buffer: None,
            ..socket
        })
        .collect()
}
