use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use procfs::process::Stat;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::watch;

use crate::node::Inner;
use crate::{ContainerSpec, log};

/// The processes of one container: the first one, the process group that it leads, and all that descends from it.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    child: Mutex<Child>,
    exit: watch::Sender<Option<Exit>>,
    /// Set once the processes shall stay frozen for good, whoever thaws them.
    abandoned: Mutex<bool>,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    /// As a shell has it: 128 and the signal's number for a process that was killed.
    pub(crate) code: i32,
    pub(crate) at: jiff::Timestamp,
}

impl Process {
    pub(crate) fn spawn(
        spec: &ContainerSpec,
        folder: &Path,
        log: &Path,
        node: &Inner,
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
        let begun = supervise(&process).and_then(|()| {
            let stdout = stdout.map(ChildStdout::from_std).transpose()?;
            let stderr = stderr.map(ChildStderr::from_std).transpose()?;
            if let Some(output) = stdout {
                node.spawn(log::record(output, "stdout", log.to_owned()));
            }
            if let Some(output) = stderr {
                node.spawn(log::record(output, "stderr", log.to_owned()));
            }
            Ok(())
        });
        // Whatever has been started must not outlive the failure to look after it.
        begun.inspect_err(|_| process.end()).map(|()| process)
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits until the first process has ended and is reaped.
    pub(crate) async fn ended(&self) -> Option<Exit> {
        // An error would mean that the sender is gone, and `self` is the sender.
        let exit = self
            .exit
            .subscribe()
            .wait_for(Option::is_some)
            .await
            .map(|exit| *exit);
        exit.unwrap_or_default()
    }

    /// Kills all processes and reaps the first one. Its death takes the others along, as that of a container's does.
    pub(crate) fn end(&self) {
        let mut child = lock(&self.child);
        if self.exit().is_some() {
            return;
        }
        // Only now may its number be used again, so the group is killed before it is reaped.
        self.send(Signal::KILL);
        let code = child.wait().map_or(-1, exit_code);
        self.exit.send_replace(Some(Exit {
            code,
            at: jiff::Timestamp::now(),
        }));
    }

    /// Every process of the container that can be seen, the first one first, then by number.
    pub(crate) fn members(&self) -> io::Result<Vec<Stat>> {
        let root = self.pid.as_raw_nonzero().get();
        // A process can go away while it is looked at.
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

    /// Signals all processes. Once the first one is reaped its number can mean another process, so then nothing is sent.
    pub(crate) fn signal(&self, signal: Signal) {
        let _not_reaped_meanwhile = lock(&self.child);
        if self.exit().is_none() {
            self.send(signal);
        }
    }

    /// The group at once, then whatever has left it. A process that is gone needs no signal.
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

    /// Lets the processes go on, unless they are abandoned.
    pub(crate) fn thaw(&self) {
        let abandoned = lock(&self.abandoned);
        if !*abandoned {
            self.signal(Signal::CONT);
        }
    }

    /// Freezes the processes for good.
    pub(crate) fn abandon(&self) {
        let mut abandoned = lock(&self.abandoned);
        *abandoned = true;
        self.signal(Signal::STOP);
    }
}

/// Ends a container when its first process does. A thread of its own: it waits as long as the container runs, and would
/// hold up a reactor's end.
fn supervise(process: &Arc<Process>) -> io::Result<()> {
    let process = Arc::clone(process);
    let wait = move || {
        // The process stays to be reaped, so that its number remains its own until its group is killed.
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

/// What the mutexes of this room guard is whole at every moment, so a panic elsewhere does not spoil it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
