//! The processes of a checkpoint.

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use gateway_core::Process;

use super::archive_index::ArchiveIndex;
use super::process;
use super::text::TextBudget;
use super::variables::Declared;
use crate::Error;
use crate::criu::{Value, fields, varint};
use crate::part::Part;

/// The most processes that are listed.
const MAX_PROCESSES: usize = 10_000;
/// The largest entry of `pstree.img`: it lists the process's threads.
const MAX_ENTRY: usize = 1 << 20;

/// The processes in `pstree.img`, with what their own images say, and the numbers of their programs' files.
pub(super) fn processes<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    texts: &mut TextBudget,
    declared: &Declared,
) -> Result<(Vec<Process>, Vec<Option<u64>>), Error> {
    // Each only once, or a small archive could make this read a large image over and over.
    let (mut processes, mut seen) = (Vec::new(), BTreeSet::new());
    index.entries(Part::Tree, MAX_ENTRY, |entry| {
        let Some(process) = read(entry) else {
            return false;
        };
        if processes.len() == MAX_PROCESSES {
            texts.note_omission();
        } else if seen.insert(process.pid) {
            processes.push(process);
        }
        true
    })?;
    let described = processes
        .iter_mut()
        .map(|process| process::describe(index, texts, process, declared));
    let programs = described.collect::<Result<_, _>>()?;
    Ok((processes, programs))
}

/// A `pstree_entry`: 1 `pid`, 2 `ppid`, 5 `threads`.
fn read(entry: &[u8]) -> Option<Process> {
    let (mut process, mut pid) = (Process::default(), None);
    for field in fields(entry) {
        match field? {
            (1, Value::Number(number)) => pid = Some(number),
            (2, Value::Number(number)) => process.parent = number,
            (5, Value::Number(_)) => process.threads += 1,
            (5, Value::Bytes(packed)) => process.threads += numbers(packed),
            _ => {}
        }
    }
    Some(Process {
        pid: pid?,
        ..process
    })
}

/// The number of packed numbers.
fn numbers(mut packed: &[u8]) -> u64 {
    let mut count = 0;
    while varint(&mut packed).is_some() {
        count += 1;
    }
    count
}
