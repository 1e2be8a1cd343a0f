//! The processes of a container.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use procfs::process::Stat;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::watch;

use crate::log;
use crate::pod::ContainerSpec;
use crate::tasks::Tasks;

/// The processes of one container: the first process, its process group, and all of its descendants.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    child: Mutex<Child>,
    exit: watch::Sender<Option<Exit>>,
    /// Set once the processes must stay frozen even if they are thawed.
    abandoned: Mutex<bool>,
}

/// The end of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    /// The exit code, or 128 plus the signal's number if the process was killed, as in a shell.
    pub(crate) code: i32,
    pub(crate) at: jiff::Timestamp,
}

impl Process {
    pub(crate) fn spawn(
        spec: &ContainerSpec,
        folder: &Path,
        log: &Path,
        tasks: &Tasks,
    ) -> io::Result<Arc<Self>> {
        let mut child = command(spec, folder).spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let pid = Pid::from_child(&child);
        let process = Arc::new(Self {
            pid,
            child: Mutex::new(child),
            exit: watch::Sender::new(None),
            abandoned: Mutex::new(false),
        });
        let supervised = supervise(&process).and_then(|()| {
            let stdout = stdout.map(ChildStdout::from_std).transpose()?;
            let stderr = stderr.map(ChildStderr::from_std).transpose()?;
            if let Some(output) = stdout {
                tasks.spawn(log::record(output, "stdout", log.to_owned()));
            }
            if let Some(output) = stderr {
                tasks.spawn(log::record(output, "stderr", log.to_owned()));
            }
            Ok(())
        });
        // A process that cannot be supervised must not go on running.
        supervised.inspect_err(|_| process.end()).map(|()| process)
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits until the first process has ended and is reaped.
    pub(crate) async fn ended(&self) -> Option<Exit> {
        // Cannot fail: `self` is the sender.
        let exit = self
            .exit
            .subscribe()
            .wait_for(Option::is_some)
            .await
            .map(|exit| *exit);
        exit.unwrap_or_default()
    }

    /// Kills all processes and reaps the first one.
    pub(crate) fn end(&self) {
        let mut child = self.child.lock();
        if self.exit().is_some() {
            return;
        }
        // Reaping frees the process id for reuse, so the group is killed before.
        self.send(Signal::KILL);
        let code = child.wait().map_or(-1, exit_code);
        self.exit.send_replace(Some(Exit {
            code,
            at: jiff::Timestamp::now(),
        }));
    }

    /// Every visible process of the container: the first one, then the others by process id.
    pub(crate) fn members(&self) -> io::Result<Vec<Stat>> {
        let root = self.pid.as_raw_nonzero().get();
        // A process may end while it is read.
        let all: Vec<Stat> = procfs::process::all_processes()
            .map_err(io::Error::other)?
            .filter_map(|process| process.and_then(|process| process.stat()).ok())
            .collect();
        let mut ids = BTreeSet::from([root]);
        loop {
            let known = ids.len();
            ids.extend(
                all.iter()
                    .filter(|stat| stat.pgrp == root || ids.contains(&stat.ppid))
                    .map(|stat| stat.pid)
                    .collect::<Vec<_>>(),
            );
            if ids.len() == known {
                break;
            }
        }
        let mut members: Vec<Stat> = all
            .into_iter()
            .filter(|stat| ids.contains(&stat.pid))
            .collect();
        members.sort_by_key(|stat| (stat.pid != root, stat.pid));
        Ok(members)
    }

    /// Signals all processes. After the first one is reaped its id may belong to another process, so no signal is sent then.
    pub(crate) fn signal(&self, signal: Signal) {
        let _not_reaped = self.child.lock();
        if self.exit().is_none() {
            self.send(signal);
        }
    }

    /// Signals the group, then the processes that have left it. Errors mean that a process has ended.
    fn send(&self, signal: Signal) {
        let _ = kill_process_group(self.pid, signal);
        let root = self.pid.as_raw_nonzero().get();
        for stat in self
            .members()
            .unwrap_or_default()
            .iter()
            .filter(|stat| stat.pgrp != root)
        {
            if let Some(pid) = Pid::from_raw(stat.pid) {
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// Continues the processes, unless they are abandoned.
    pub(crate) fn thaw(&self) {
        let abandoned = self.abandoned.lock();
        if !*abandoned {
            self.signal(Signal::CONT);
        }
    }

    /// Freezes the processes for good.
    pub(crate) fn abandon(&self) {
        let mut abandoned = self.abandoned.lock();
        *abandoned = true;
        self.signal(Signal::STOP);
    }
}

/// Ends a container when its first process ends. It waits on a thread of its own, which does not delay the end of a tokio
/// runtime.
fn supervise(process: &Arc<Process>) -> io::Result<()> {
    let process = Arc::clone(process);
    let wait = move || {
        // NOWAIT keeps the process id reserved until the group is killed.
        while let Err(Errno::INTR) = waitid(
            WaitId::Pid(process.pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        ) {}
        process.end();
    };
    thread::Builder::new()
        .name("container".to_owned())
        .spawn(wait)
        .map(drop)
}

fn command(spec: &ContainerSpec, folder: &Path) -> Command {
    let (program, arguments) = match spec.command.split_first() {
        Some((program, arguments)) => (program.as_str(), arguments),
        None => ("", spec.command.as_slice()),
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(spec.env.iter().map(|(key, value)| (key, value)))
        .current_dir(folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
