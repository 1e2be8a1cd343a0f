//! Whether each process has the images that its state asks for.

use std::collections::BTreeSet;
use std::io::BufRead;

use gateway_core::FindingCode;

use crate::Error;
use crate::criu::{Entries, Value, fields, varint};
use crate::finding_list::FindingList;
use crate::part::Part;
use crate::stream::read_pieces;

/// The most processes and threads together: far more than a container has.
const MAX_TASKS: usize = 1 << 19;
/// The largest entry of `pstree.img`: it lists the process's threads.
const MAX_TREE_ENTRY: usize = 16 << 20;
/// The largest entry of `core-PID.img`, in bytes.
const MAX_CORE_ENTRY: usize = 1 << 20;
/// `task_core_entry.task_state` of a process that has ended and whose parent has not waited for it: CRIU's `TASK_DEAD`, and
/// `COMPEL_TASK_ZOMBIE`, which newer versions have in its place.
const DEAD_STATES: [u64; 2] = [2, 6];

/// The images of an archive, by what they belong to.
#[derive(Debug, Default)]
pub(super) struct ImageSurvey {
    /// Members that stand in an archive once.
    single: BTreeSet<Part>,
    any: bool,
    cores: BTreeSet<u64>,
    /// Processes whose core image says that they have ended.
    dead: BTreeSet<u64>,
    spaces: BTreeSet<u64>,
    maps: BTreeSet<u64>,
    processes: BTreeSet<u64>,
    /// The ids of threads, each with its process.
    threads: BTreeSet<(u64, u64)>,
    unreadable: BTreeSet<Part>,
}

impl ImageSurvey {
    /// Notes a member that is a file; reads `body` where it counts.
    pub(super) fn add(&mut self, part: Part, body: &mut dyn BufRead) -> Result<(), Error> {
        self.any |= !matches!(
            part,
            Part::Config | Part::Spec | Part::DumpLog | Part::RootfsDiff | Part::Statistics
        );
        match part {
            Part::Inventory | Part::Spec => drop(self.single.insert(part)),
            Part::Tree => {
                self.single.insert(part);
                self.read_tree(body)?;
            }
            Part::Core(pid) => {
                self.cores.insert(pid);
                self.read_core(pid, body)?;
            }
            Part::AddressSpace(pid) => drop(self.spaces.insert(pid)),
            Part::PageMap(pid) => drop(self.maps.insert(pid)),
            Part::Pages(_)
            | Part::Config
            | Part::DumpLog
            | Part::RootfsDiff
            | Part::Ids(_)
            | Part::Folders(_)
            | Part::Descriptors(_)
            | Part::Files
            | Part::Statistics => {}
        }
        Ok(())
    }

    /// Lists what is missing.
    pub(super) fn report(&self, list: &mut FindingList) {
        if !self.any {
            let message = "there is no image of CRIU's in the archive: it has no memory";
            list.fatal(FindingCode::ImageMissing, "checkpoint/", message);
        }
        for part in [Part::Inventory, Part::Tree] {
            if !self.single.contains(&part) {
                missing(list, part, "");
            }
        }
        if !self.single.contains(&Part::Spec) {
            let message = "`spec.dump` is missing: no runtime can create the container";
            list.fatal(FindingCode::SpecMissing, "spec.dump", message);
        }
        for part in &self.unreadable {
            let message = format!("`{part}` is not a CRIU image");
            list.fatal(FindingCode::ImageUnreadable, &part.to_string(), &message);
        }
        self.report_tasks(list);
    }

    fn report_tasks(&self, list: &mut FindingList) {
        if self.may_lack_cores() {
            let message = "there is no `core-PID.img`: the process's registers and state are missing, so that CRIU cannot \
                restore it";
            list.note(FindingCode::ImageMissing, "checkpoint/", message);
        }
        for pid in &self.processes {
            self.report_core(list, *pid, "process");
            if self.dead.contains(pid) {
                continue;
            }
            let live = format!(" of the live process {pid}");
            if !self.spaces.contains(pid) {
                missing(list, Part::AddressSpace(*pid), &live);
            }
            if !self.maps.contains(pid) {
                missing(list, Part::PageMap(*pid), &live);
            }
        }
        for (tid, pid) in &self.threads {
            // CRIU gives a process that has ended a thread with any number.
            if !self.processes.contains(tid) && !self.dead.contains(pid) {
                self.report_core(list, *tid, "thread");
            }
        }
    }

    fn report_core(&self, list: &mut FindingList, id: u64, kind: &str) {
        if !self.cores.contains(&id) && !self.may_lack_cores() {
            missing(list, Part::Core(id), &format!(" of the {kind} {id}"));
        }
    }

    /// Whether cores are missing in a way that is noted only: the archive has one process of one thread and no core at all, as
    /// archives have that were cut down to the memory. The process is taken for a live one.
    fn may_lack_cores(&self) -> bool {
        let is_first = |(tid, _): &(u64, u64)| self.processes.contains(tid);
        self.cores.is_empty() && self.processes.len() == 1 && self.threads.iter().all(is_first)
    }

    fn read_tree(&mut self, body: &mut dyn BufRead) -> Result<(), Error> {
        let mut entries = Entries::new(MAX_TREE_ENTRY);
        let (processes, threads) = (&mut self.processes, &mut self.threads);
        read_pieces(body, |piece| {
            entries.push(piece, |entry| {
                read_process(entry, threads).is_some_and(|pid| {
                    processes.insert(pid);
                    processes.len() + threads.len() <= MAX_TASKS
                })
            });
            Ok(())
        })?;
        if !entries.is_whole() || self.processes.is_empty() {
            self.unreadable.insert(Part::Tree);
        }
        Ok(())
    }

    fn read_core(&mut self, pid: u64, body: &mut dyn BufRead) -> Result<(), Error> {
        let (mut entries, mut state, mut first) = (Entries::new(MAX_CORE_ENTRY), None, true);
        read_pieces(body, |piece| {
            entries.push(piece, |entry| {
                if std::mem::take(&mut first) {
                    state = task_state(entry);
                }
                true
            });
            Ok(())
        })?;
        if !entries.is_whole() || first {
            self.unreadable.insert(Part::Core(pid));
        } else if state.is_some_and(|state| DEAD_STATES.contains(&state)) {
            self.dead.insert(pid);
        }
        Ok(())
    }
}

fn missing(list: &mut FindingList, part: Part, of: &str) {
    let message = match part {
        Part::Inventory => format!("`{part}`, the inventory of CRIU's images, is missing"),
        Part::AddressSpace(_) => format!("`{part}`, the memory map{of}, is missing"),
        Part::PageMap(_) => format!("`{part}`, the page map{of}, is missing"),
        part => format!("`{part}`{of} is missing"),
    };
    list.fatal(FindingCode::ImageMissing, &part.to_string(), &message);
}

/// Reads a `pstree_entry`: 1 `pid`, 5 `threads`, which include the process's own id.
fn read_process(entry: &[u8], all: &mut BTreeSet<(u64, u64)>) -> Option<u64> {
    let (mut pid, mut threads) = (None, Vec::new());
    for field in fields(entry) {
        match field? {
            (1, Value::Number(number)) => pid = Some(number),
            (5, Value::Number(thread)) => threads.push(thread),
            (5, Value::Bytes(mut packed)) => {
                while !packed.is_empty() && threads.len() <= MAX_TASKS {
                    threads.push(varint(&mut packed)?);
                }
            }
            _ => {}
        }
        if threads.len() > MAX_TASKS {
            return None;
        }
    }
    let pid = pid?;
    all.extend(threads.into_iter().map(|thread| (thread, pid)));
    Some(pid)
}

/// Field 3 of a `core_entry` is `tc`, in which field 1 is `task_state`. A thread's core has none.
fn task_state(core: &[u8]) -> Option<u64> {
    let mut all = fields(core).map_while(|field| field);
    let task = all.find_map(|field| match field {
        (3, Value::Bytes(task)) => Some(task),
        _ => None,
    })?;
    let mut all = fields(task).map_while(|field| field);
    all.find_map(|field| match field {
        (1, Value::Number(state)) => Some(state),
        _ => None,
    })
}
