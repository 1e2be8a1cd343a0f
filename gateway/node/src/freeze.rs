use std::io;
use std::time::{Duration, Instant};

use procfs::process::Stat;
use rustix::process::Signal;

use crate::process::Process;

/// How long processes may take to stop: longer means that one is stuck in the kernel.
const PATIENCE: Duration = Duration::from_secs(10);
/// After so long they are let go for a moment, and stopped again: one that waits in vfork(2) stops only once its child has
/// gone on, and that was stopped with it. (A runtime freezes a whole cgroup instead, where nobody waits for anybody.)
const BREATH: Duration = Duration::from_millis(50);

/// A container's processes, all stopped. Dropping it lets them go on, whatever happened in between.
#[derive(Debug)]
pub(crate) struct Frozen<'a> {
    process: &'a Process,
    members: Vec<Stat>,
}

impl<'a> Frozen<'a> {
    /// Stops every process and waits until the kernel says that they have. Blocks the thread.
    pub(crate) fn freeze(process: &'a Process) -> io::Result<Self> {
        let mut frozen = Self {
            process,
            members: Vec::new(),
        };
        let deadline = Instant::now() + PATIENCE;
        let mut stopping = Instant::now();
        loop {
            if stopping.elapsed() > BREATH {
                process.signal(Signal::CONT);
                std::thread::yield_now();
                stopping = Instant::now();
            }
            process.signal(Signal::STOP);
            let members: Vec<Stat> = process.members()?.into_iter().filter(is_alive).collect();
            if members.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "no process is left",
                ));
            }
            // Twice the same: what was not stopped while the first list was made could have forked.
            let settled = members.iter().all(is_stopped) && is_same(&members, &frozen.members);
            frozen.members = members;
            if settled {
                return Ok(frozen);
            }
            if Instant::now() > deadline {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the processes do not stop",
                ));
            }
            std::thread::yield_now();
        }
    }

    /// The processes that live, the container's first one first.
    pub(crate) fn members(&self) -> &[Stat] {
        &self.members
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.process.thaw();
    }
}

fn is_alive(stat: &Stat) -> bool {
    !matches!(stat.state, 'Z' | 'X' | 'x')
}

/// Every thread must have stopped, not only the first.
fn is_stopped(stat: &Stat) -> bool {
    let states = || -> procfs::ProcResult<Vec<char>> {
        procfs::process::Process::new(stat.pid)?
            .tasks()?
            .map(|task| Ok(task?.stat()?.state))
            .collect()
    };
    states().is_ok_and(|states| {
        states
            .iter()
            .all(|state| matches!(state, 'T' | 't' | 'Z' | 'X'))
    })
}

fn is_same(one: &[Stat], other: &[Stat]) -> bool {
    one.iter()
        .map(|stat| stat.pid)
        .eq(other.iter().map(|stat| stat.pid))
}
