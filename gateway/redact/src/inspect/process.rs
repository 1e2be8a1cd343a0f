//! What the images of one process say about it.

use std::io::{Read, Seek};
use std::ops::Range;

use gateway_core::{Process, ProcessState};

use super::archive_index::ArchiveIndex;
use super::memory::{MemoryMap, Piece};
use super::text::TextBudget;
use super::variables::{self, Declared};
use crate::Error;
use crate::criu::{AddressSpace, MAX_ADDRESS_SPACE, bytes_in, number_in};
use crate::part::Part;

/// The largest `core-PID.img`'s entry, in bytes.
const MAX_CORE: usize = 1 << 20;
/// Bytes of a command line that are read.
const MAX_ARGUMENTS: u64 = 16 << 10;
/// Bytes of one argument that are returned.
const MAX_ARGUMENT: usize = 4 << 10;
/// Bytes of an environment that are read.
const MAX_ENVIRONMENT: u64 = 256 << 10;
/// The most arguments, and the most variables.
const MAX_LIST: usize = 1000;
/// Bytes of a thread's name (the kernel's `TASK_COMM_LEN` is 16).
const MAX_COMMAND: usize = 64;

/// Fills in the command, the state, the arguments and the names of variables. Returns CRIU's number of the program's file.
pub(super) fn describe<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    texts: &mut TextBudget,
    process: &mut Process,
    declared: &Declared,
) -> Result<Option<u64>, Error> {
    let (mut task, mut space) = (None, None);
    index.entries(Part::Core(process.pid), MAX_CORE, |entry| {
        task = task
            .take()
            .or_else(|| bytes_in(entry, 3).map(<[u8]>::to_vec));
        true
    })?;
    if let Some(task) = task {
        process.state = number_in(&task, 1).and_then(state);
        process.command = bytes_in(&task, 6).and_then(|name| texts.masked_line(name, MAX_COMMAND));
    }
    index.entries(
        Part::AddressSpace(process.pid),
        MAX_ADDRESS_SPACE,
        |entry| {
            space = AddressSpace::read(entry);
            space.is_some()
        },
    )?;
    let Some(space) = space else {
        return Ok(None);
    };
    read_memory(index, texts, process, space, declared)?;
    Ok(space.program)
}

/// The architecture that the process `pid` runs on: field 1 of its `core_entry`, `mtype`.
pub(super) fn architecture<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    pid: u64,
) -> Result<Option<String>, Error> {
    let mut machine = None;
    index.entries(Part::Core(pid), MAX_CORE, |entry| {
        machine = machine.or_else(|| number_in(entry, 1));
        true
    })?;
    Ok(name_of(machine).map(str::to_owned))
}

/// Go's name for a number of CRIU's (`core.proto`).
fn name_of(machine: Option<u64>) -> Option<&'static str> {
    match machine? {
        1 => Some("amd64"),
        2 => Some("arm"),
        3 => Some("arm64"),
        4 => Some("ppc64le"),
        5 => Some("s390x"),
        7 => Some("loong64"),
        8 => Some("riscv64"),
        _ => None,
    }
}

/// The state of a number in `task_core_entry`, field 1 (`task_state`); field 6 is `comm`.
fn state(number: u64) -> Option<ProcessState> {
    match number {
        1 => Some(ProcessState::Alive),
        2 | 6 => Some(ProcessState::Dead),
        3 => Some(ProcessState::Stopped),
        _ => None,
    }
}

fn read_memory<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    texts: &mut TextBudget,
    process: &mut Process,
    space: AddressSpace,
    declared: &Declared,
) -> Result<(), Error> {
    let end = space.arguments_end.unwrap_or_default();
    let arguments = shortened(space.arguments_start, end, MAX_ARGUMENTS, texts);
    let environment = shortened(
        space.environment_start,
        space.environment_end.unwrap_or_default(),
        MAX_ENVIRONMENT,
        texts,
    );
    let last = end.saturating_sub(1)..end;
    let wanted = [arguments.clone(), last.clone(), environment.clone()];
    let Some(map) = MemoryMap::read(index, process.pid, &wanted)? else {
        return Ok(());
    };
    process.arguments = argument_list(&map.bytes(index, &arguments)?, &arguments, texts);
    // Arguments that do not end with a NUL: the process has written a title over them and on into the environment, as the
    // kernel sees it (fs/proc/base.c, `get_mm_cmdline`).
    let end = map.bytes(index, &last)?;
    let titled = end
        .iter()
        .any(|piece| piece.bytes.iter().any(|byte| *byte != 0));
    let pieces = map.bytes(index, &environment)?;
    if !titled && !pieces.is_empty() {
        let names = variables::names(environment.start, &pieces).into_iter();
        let names = names.filter(|name| declared.shows(name));
        process.env = Some(texts.list(names, MAX_LIST, |texts, name| {
            texts.line(name, variables::MAX_NAME)
        }));
    }
    Ok(())
}

/// The first `max` bytes of the range from `start` to `end`.
fn shortened(start: Option<u64>, end: u64, max: u64, texts: &mut TextBudget) -> Range<u64> {
    let start = start.unwrap_or_default();
    let end = end.max(start);
    if end - start > max {
        texts.note_omission();
    }
    start..end.min(start.saturating_add(max))
}

/// The arguments from the first on, as far as they are in the image without a gap.
fn argument_list(
    pieces: &[Piece],
    range: &Range<u64>,
    texts: &mut TextBudget,
) -> Option<Vec<String>> {
    let first = pieces
        .first()
        .filter(|first| first.address == range.start)?;
    let mut text = first.bytes.as_slice();
    // A title may have many NULs behind it.
    while let Some(rest) = text.strip_suffix(b"\0") {
        text = rest;
    }
    if pieces.len() > 1 {
        texts.note_omission();
    }
    let all = text.split(|byte| *byte == 0);
    Some(texts.list(all, MAX_LIST, |texts, argument| {
        texts.masked_line(argument, MAX_ARGUMENT)
    }))
}
