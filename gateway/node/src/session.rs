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
use crate::message::{Core, DumpStats, Ids, Inventory, Stats, Task, TreeEntry};

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
        for (id, stat) in (1..).zip(frozen.members()) {
            self.process(id, stat)
                .map_err(while_trying_to(&format!("dump process {}", stat.pid)))?;
        }
        self.stats.memdump_time = microseconds(stopped.elapsed());
        self.stats.memwrite_time = self.stats.memdump_time;
        self.tree(frozen.members())
            .map_err(while_trying_to("write the process tree"))?;
        self.stats.frozen_time = microseconds(stopped.elapsed());
        self.note("Dumping finished successfully");
        Ok(frozen)
    }

    fn process(&mut self, id: u32, stat: &Stat) -> io::Result<()> {
        let process = Process::new(stat.pid).map_err(io::Error::other)?;
        let maps = process.maps().map_err(io::Error::other)?.0;
        address_space::write(&process, stat, &maps, &mut self.files, self.images)?;
        self.files.dump(&process, id, self.images)?;
        self.core(id, stat)?;
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
        Ok(())
    }

    fn core(&self, id: u32, stat: &Stat) -> io::Result<()> {
        let core = Core {
            machine: machine(),
            task: Some(Task {
                state: 1,
                exit_code: 0,
                personality: 0,
                flags: stat.flags,
                blocked_signals: stat.blocked,
                command: stat.comm.clone(),
            }),
            ids: None,
        };
        let image = |name: &str| self.images.join(format!("{name}-{}.img", stat.pid));
        Image::write(&image("core"), Kind::Core, &core)?;
        Image::write(&image("ids"), Kind::Ids, &unshared(id))
    }

    fn tree(&self, members: &[Stat]) -> io::Result<()> {
        let root = members.first().map_or(0, |stat| stat.pid);
        let mut tree = Image::create(&self.images.join("pstree.img"), Kind::ProcessTree)?;
        for stat in members {
            let parent = match stat.ppid {
                _ if stat.pid == root => 0,
                parent if members.iter().any(|other| other.pid == parent) => parent,
                // An orphan: in a container, the first process inherits it.
                _ => root,
            };
            tree.entry(&TreeEntry {
                pid: stat.pid.unsigned_abs(),
                parent: parent.unsigned_abs(),
                group: stat.pgrp.unsigned_abs(),
                session: stat.session.unsigned_abs(),
                threads: threads(stat),
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

fn threads(stat: &Stat) -> Vec<u32> {
    let listed = || -> procfs::ProcResult<Vec<u32>> {
        Process::new(stat.pid)?
            .tasks()?
            .map(|task| Ok(task?.tid.unsigned_abs()))
            .collect()
    };
    // A stopped process can be killed; its first thread is known in any case.
    listed().unwrap_or_else(|_| vec![stat.pid.unsigned_abs()])
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
