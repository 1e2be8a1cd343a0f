//! Writes the CRIU images of a container.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use procfs::process::{Process, Stat};

use crate::address_space;
use crate::author::Author;
use crate::container::Container;
use crate::descriptors::Files;
use crate::dump_error::{DumpError, while_trying_to};
use crate::freeze::Frozen;
use crate::image::{Image, Kind};
use crate::memory::{self, Pages};
use crate::message::{Core, DumpStats, Ids, Inventory, Stats, Task, Thread, TreeEntry};

/// `task_state` of a process that is alive, and of one that has ended (CRIU, `TASK_ALIVE` and `TASK_DEAD`).
const ALIVE: u32 = 1;
const DEAD: u32 = 2;

/// The work that produces one `checkpoint/`.
pub(crate) struct Session<'a> {
    images: &'a Path,
    started: Instant,
    log: String,
    stats: DumpStats,
    files: Files,
    buffer: Vec<u8>,
    run_id: String,
}

impl<'a> Session<'a> {
    pub(crate) fn new(images: &'a Path, author: &Author) -> Self {
        let mut session = Self {
            images,
            started: Instant::now(),
            log: String::new(),
            stats: DumpStats::default(),
            files: Files::default(),
            buffer: memory::buffer(),
            run_id: uuid::Uuid::new_v4().to_string(),
        };
        session.note(&format!("{} {}", author.runtime, author.version));
        session
    }

    /// Dumps the processes. The container is frozen meanwhile, and goes on when the result is dropped.
    pub(crate) fn processes(&mut self, container: &Container) -> Result<Frozen, DumpError> {
        let before = Instant::now();
        let frozen =
            Frozen::freeze(&container.process).map_err(while_trying_to("freeze the container"))?;
        self.stats.freezing_time = microseconds(before.elapsed());
        self.note(&format!("Frozen {} processes", frozen.members().len()));
        let stopped = Instant::now();
        let mut tree = Vec::new();
        for (id, stat) in (1..).zip(frozen.members()) {
            let threads = self
                .process(id, stat)
                .map_err(while_trying_to(&format!("dump process {}", stat.pid)))?;
            tree.push((stat.clone(), threads));
        }
        for stat in frozen.zombies() {
            self.zombie(stat)
                .map_err(while_trying_to(&format!("dump zombie {}", stat.pid)))?;
            tree.push((stat.clone(), vec![stat.pid.unsigned_abs()]));
        }
        self.stats.memdump_time = microseconds(stopped.elapsed());
        self.stats.memwrite_time = self.stats.memdump_time;
        self.tree(&tree)
            .map_err(while_trying_to("write the process tree"))?;
        self.stats.frozen_time = microseconds(stopped.elapsed());
        self.note("Dumping finished successfully");
        Ok(frozen)
    }

    /// Returns the ids of the process's threads, its own among them.
    fn process(&mut self, id: u32, stat: &Stat) -> io::Result<Vec<u32>> {
        let process = Process::new(stat.pid).map_err(io::Error::other)?;
        let maps = process.maps().map_err(io::Error::other)?.0;
        address_space::write(&process, stat, &maps, &mut self.files, self.images)?;
        self.files.dump(&process, id, self.images)?;
        let threads = threads(&process, stat);
        self.core(id, stat, &threads)?;
        let mut pages = Pages::create(&process, id, self.images, &mut self.buffer)?;
        maps.iter().try_for_each(|map| pages.copy(map))?;
        self.stats.pages_written += pages.written;
        self.stats.pages_scanned += pages.scanned;
        let written = pages.written;
        pages.finish()?;
        self.note(&format!(
            "Dumped process {} ({}): {written} pages",
            stat.pid, stat.comm
        ));
        Ok(threads)
    }

    fn core(&self, id: u32, stat: &Stat, threads: &[u32]) -> io::Result<()> {
        let ids = self.images.join(format!("ids-{}.img", stat.pid));
        Image::write(&ids, Kind::Ids, &unshared(id))?;
        for tid in threads {
            let first = *tid == stat.pid.unsigned_abs();
            let core = Core {
                machine: machine(),
                task: first.then(|| task(stat, ALIVE)),
                ids: None,
                thread: Some(Thread::default()),
            };
            self.write_core(*tid, &core)?;
        }
        Ok(())
    }

    /// A process that has ended has nothing but its core.
    fn zombie(&mut self, stat: &Stat) -> io::Result<()> {
        let core = Core {
            machine: machine(),
            task: Some(task(stat, DEAD)),
            ids: None,
            thread: None,
        };
        self.note(&format!("Dumped zombie {} ({})", stat.pid, stat.comm));
        self.write_core(stat.pid.unsigned_abs(), &core)
    }

    fn write_core(&self, tid: u32, core: &Core) -> io::Result<()> {
        let path = self.images.join(format!("core-{tid}.img"));
        Image::write(&path, Kind::Core, core)
    }

    /// Writes the processes, each with the ids of its threads.
    fn tree(&self, members: &[(Stat, Vec<u32>)]) -> io::Result<()> {
        let root = members.first().map_or(0, |(stat, _)| stat.pid);
        let mut tree = Image::create(&self.images.join("pstree.img"), Kind::ProcessTree)?;
        for (stat, threads) in members {
            let parent = match stat.ppid {
                _ if stat.pid == root => 0,
                parent if members.iter().any(|(other, _)| other.pid == parent) => parent,
                // An orphan: in a container, the first process inherits it.
                _ => root,
            };
            tree.entry(&TreeEntry {
                pid: stat.pid.unsigned_abs(),
                parent: parent.unsigned_abs(),
                group: stat.pgrp.unsigned_abs(),
                session: stat.session.unsigned_abs(),
                threads: threads.clone(),
            })?;
        }
        tree.finish()?;
        self.files.write(self.images)?;
        let inventory = Inventory {
            image_version: 2,
            descriptors_per_id: Some(true),
            root_ids: Some(unshared(1)),
            namespaces_per_id: Some(true),
            run_id: Some(self.run_id.clone()),
        };
        Image::write(
            &self.images.join("inventory.img"),
            Kind::Inventory,
            &inventory,
        )
    }

    fn note(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            self.log,
            "({:09.6}) {line}",
            self.started.elapsed().as_secs_f64()
        );
    }

    pub(crate) fn write_log_and_stats(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join("dump.log"), &self.log)?;
        let stats = Stats {
            dump: Some(self.stats),
        };
        Image::write(&folder.join("stats-dump"), Kind::Stats, &stats)
    }
}

/// The ids of a process that shares no resources.
fn unshared(id: u32) -> Ids {
    Ids {
        memory: id,
        files: id,
        folders: id,
        signals: id,
    }
}

/// The ids of the threads that are alive, the first thread's first. A stopped process can be killed; its first thread is known
/// in any case.
fn threads(process: &Process, stat: &Stat) -> Vec<u32> {
    let first = stat.pid.unsigned_abs();
    let tasks = process.tasks().into_iter().flatten().flatten();
    let alive = tasks.filter(|task| {
        let stat = task.stat();
        stat.is_ok_and(|stat| !matches!(stat.state, 'Z' | 'X' | 'x'))
    });
    let others = alive.map(|task| task.tid.unsigned_abs());
    std::iter::once(first)
        .chain(others.filter(|id| *id != first))
        .collect()
}

fn task(stat: &Stat, state: u32) -> Task {
    Task {
        state,
        exit_code: stat.exit_code.unwrap_or_default().unsigned_abs(),
        personality: 0,
        flags: stat.flags,
        blocked_signals: stat.blocked,
        command: stat.comm.clone(),
    }
}

/// CRIU's number for this machine.
fn machine() -> i32 {
    match std::env::consts::ARCH {
        "x86_64" => 1,
        "arm" => 2,
        "aarch64" => 3,
        "powerpc64" => 4,
        "s390x" => 5,
        "mips64" => 6,
        "loongarch64" => 7,
        "riscv64" => 8,
        _ => 0,
    }
}

fn microseconds(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
