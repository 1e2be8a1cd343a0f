use std::io::{Read, Seek};
use std::ops::Range;

use gateway_core::Process;

use super::contents::Contents;
use super::memory::{Map, Piece};
use super::part::Part;
use super::text::Texts;
use super::variables;
use crate::Error;
use crate::redact::{Value, fields};

/// The largest `mm-PID.img`: one with all the mappings that the kernel allows is a quarter of it.
const MAX_ADDRESS_SPACE: usize = 16 << 20;
/// The largest `core-PID.img`'s entry, in bytes.
const MAX_CORE: usize = 1 << 20;
/// Bytes of a command line that are looked at.
const MAX_ARGUMENTS: u64 = 16 << 10;
/// Bytes of one argument that are told.
const MAX_ARGUMENT: usize = 4 << 10;
/// Bytes of an environment that are looked at.
const MAX_ENVIRONMENT: u64 = 256 << 10;
/// Arguments and variables that are told.
const MAX_LIST: usize = 1000;
/// Bytes of a thread's name (the kernel's `TASK_COMM_LEN` is 16).
const MAX_COMMAND: usize = 64;

/// Where a process's arguments and environment lie in its memory.
#[derive(Debug, Default)]
struct Bounds {
    arguments: Range<u64>,
    environment: Range<u64>,
}

/// Fills in what the images of the process say.
pub(super) fn describe<R: Read + Seek>(
    contents: &mut Contents<R>,
    texts: &mut Texts,
    process: &mut Process,
) -> Result<(), Error> {
    let (mut command, mut bounds) = (None, None);
    contents.entries(Part::Core(process.pid), MAX_CORE, |entry| {
        command = command.take().or_else(|| comm(entry));
        true
    })?;
    process.command = command.and_then(|command| texts.line(&command, MAX_COMMAND));
    contents.entries(
        Part::AddressSpace(process.pid),
        MAX_ADDRESS_SPACE,
        |entry| {
            bounds = Bounds::read(entry);
            bounds.is_some()
        },
    )?;
    match bounds {
        Some(bounds) => memory(contents, texts, process, &bounds),
        None => Ok(()),
    }
}

/// The architecture that the process `pid` runs on. A `core_entry`: 1 is `mtype`.
pub(super) fn architecture<R: Read + Seek>(
    contents: &mut Contents<R>,
    pid: u64,
) -> Result<Option<String>, Error> {
    let mut machine = None;
    contents.entries(Part::Core(pid), MAX_CORE, |entry| {
        let mut all = fields(entry).map_while(|field| field);
        machine = machine.or_else(|| {
            all.find_map(|field| match field {
                (1, Value::Number(number)) => Some(number),
                _ => None,
            })
        });
        true
    })?;
    Ok(name_of(machine).map(str::to_owned))
}

/// CRIU's numbers (`core.proto`) in Go's words.
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

/// A `core_entry`: 3 is `tc`, in which 6 is `comm`.
fn comm(core: &[u8]) -> Option<Vec<u8>> {
    let bytes = |message: &[u8], wanted: u64| {
        let mut found = fields(message).map_while(|field| field);
        found.find_map(|field| match field {
            (number, Value::Bytes(bytes)) if number == wanted => Some(bytes.to_vec()),
            _ => None,
        })
    };
    bytes(&bytes(core, 3)?, 6)
}

impl Bounds {
    /// An `mm_entry`: 8 and 9 are the arguments' bounds, 10 and 11 the environment's.
    fn read(entry: &[u8]) -> Option<Self> {
        let mut bounds = Self::default();
        for field in fields(entry) {
            match field? {
                (8, Value::Number(at)) => bounds.arguments.start = at,
                (9, Value::Number(at)) => bounds.arguments.end = at,
                (10, Value::Number(at)) => bounds.environment.start = at,
                (11, Value::Number(at)) => bounds.environment.end = at,
                _ => {}
            }
        }
        Some(bounds)
    }
}

fn memory<R: Read + Seek>(
    contents: &mut Contents<R>,
    texts: &mut Texts,
    process: &mut Process,
    bounds: &Bounds,
) -> Result<(), Error> {
    let arguments = shortened(&bounds.arguments, MAX_ARGUMENTS, texts);
    let environment = shortened(&bounds.environment, MAX_ENVIRONMENT, texts);
    let last = bounds.arguments.end.saturating_sub(1)..bounds.arguments.end;
    let wanted = [arguments.clone(), last.clone(), environment.clone()];
    let Some(map) = Map::read(contents, process.pid, &wanted)? else {
        return Ok(());
    };
    process.arguments = told_arguments(&map.bytes(contents, &arguments)?, &arguments, texts);
    // Then, as the kernel sees it (fs/proc/base.c, `get_mm_cmdline`), the process has written a title over its arguments,
    // and on into the environment.
    let end = map.bytes(contents, &last)?;
    let titled = end
        .iter()
        .any(|piece| piece.bytes.iter().any(|byte| *byte != 0));
    let pieces = map.bytes(contents, &environment)?;
    if !titled && !pieces.is_empty() {
        let names = variables::names(environment.start, &pieces);
        process.env = Some(texts.list(names, MAX_LIST, |texts, name| {
            texts.line(name, variables::MAX_NAME)
        }));
    }
    Ok(())
}

/// The first `most` bytes of `range`.
fn shortened(range: &Range<u64>, most: u64, texts: &mut Texts) -> Range<u64> {
    let end = range.end.max(range.start);
    if end - range.start > most {
        texts.note_cut();
    }
    range.start..end.min(range.start.saturating_add(most))
}

/// The arguments, as far as they can be read from the first on.
fn told_arguments(pieces: &[Piece], range: &Range<u64>, texts: &mut Texts) -> Option<Vec<String>> {
    let first = pieces
        .first()
        .filter(|first| first.address == range.start)?;
    let mut text = first.bytes.as_slice();
    // A title may have much of nothing behind it.
    while let Some(rest) = text.strip_suffix(b"\0") {
        text = rest;
    }
    if pieces.len() > 1 {
        texts.note_cut();
    }
    let all = text.split(|byte| *byte == 0);
    Some(texts.list(all, MAX_LIST, |texts, argument| {
        texts.line(argument, MAX_ARGUMENT)
    }))
}
