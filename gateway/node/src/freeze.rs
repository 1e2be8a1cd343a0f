//! Stops and continues the processes of a container.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use procfs::process::Stat;
use rustix::process::Signal;

use crate::process::Process;

/// The longest time that processes may take to stop. If it takes longer, one is stuck in the kernel.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// After this time they are continued for a moment and stopped again: a process in vfork(2) only stops after its child has
/// run on, and the child was stopped with it. (A runtime freezes a whole cgroup, which has no such dependency.)
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The stopped processes of a container. Dropping it continues them, whatever happened in between.
#[derive(Debug)]
pub(crate) struct Frozen {
    process: Arc<Process>,
    members: Vec<Stat>,
    zombies: Vec<Stat>,
}

impl Frozen {
    /// Stops every process and waits until the kernel reports all of them as stopped. Blocks the thread.
    pub(crate) fn freeze(process: &Arc<Process>) -> io::Result<Self> {
        let mut frozen = Self {
            process: Arc::clone(process),
            members: Vec::new(),
            zombies: Vec::new(),
        };
        let deadline = Instant::now() + STOP_TIMEOUT;
        let mut stopping = Instant::now();
        loop {
            if stopping.elapsed() > RETRY_INTERVAL {
                process.signal(Signal::CONT);
                std::thread::yield_now();
                stopping = Instant::now();
            }
            process.signal(Signal::STOP);
            let (members, ended): (Vec<_>, Vec<_>) =
                process.members()?.into_iter().partition(is_alive);
            if members.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "no process is alive",
                ));
            }
            // Compare two lists: a process that was not stopped yet could have forked while the first list was read.
            let settled = members.iter().all(is_stopped) && is_same(&members, &frozen.members);
            frozen.members = members;
            frozen.zombies = ended.into_iter().filter(is_zombie).collect();
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

    /// The processes that are alive, the container's first process first.
    pub(crate) fn members(&self) -> &[Stat] {
        &self.members
    }

    /// The processes that have ended and whose parents have not waited for them.
    pub(crate) fn zombies(&self) -> &[Stat] {
        &self.zombies
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.process.thaw();
    }
}

fn is_alive(stat: &Stat) -> bool {
    !matches!(stat.state, 'Z' | 'X' | 'x')
}

fn is_zombie(stat: &Stat) -> bool {
    stat.state == 'Z'
}

/// Whether every thread has stopped, not only the first.
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
