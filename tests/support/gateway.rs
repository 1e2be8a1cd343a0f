//! The gateway as users run it: a process with a configuration file that a signal stops.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::in_time;
use super::programs::daemon;

/// A running gateway. Dropping it kills it.
pub struct Gateway {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    count: watch::Receiver<usize>,
    pub address: SocketAddr,
    pub admin: SocketAddr,
}

impl Gateway {
    pub async fn start(config: &Path) -> Self {
        Self::try_start(config)
            .await
            .unwrap_or_else(|lines| panic!("it did not start:\n{}", lines.join("\n")))
    }

    /// A started gateway, or what it said before it gave up.
    pub async fn try_start(config: &Path) -> Result<Self, Vec<String>> {
        let mut command = Command::new(daemon());
        command.arg("serve").arg("--config").arg(config);
        Self::spawn(command).await
    }

    /// The same of a process of another kind, which logs as a gateway does.
    pub async fn spawn(mut command: Command) -> Result<Self, Vec<String>> {
        let mut child = command
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (counter, mut count) = watch::channel(0);
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let kept = Arc::clone(&lines);
        tokio::task::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                kept.lock().unwrap().push(line);
                counter.send_modify(|count| *count += 1);
            }
        });
        let serving = in_time(wait(&lines, &mut count, |line| {
            line["message"] == "serving"
        }))
        .await;
        let Some(serving) = serving else {
            return Err(lines.lock().unwrap().clone());
        };
        let address = |name: &str| serving[name].as_str().unwrap().parse().unwrap();
        Ok(Self {
            address: address("address"),
            admin: address("admin"),
            child,
            lines,
            count,
        })
    }

    /// Everything that it has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The first log line that fits, as soon as it is there.
    pub async fn logged(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let line = in_time(wait(&self.lines, &mut self.count.clone(), fits)).await;
        line.unwrap_or_else(|| panic!("it ended without such a line:\n{}", self.log().join("\n")))
    }

    /// The first line after `skip` of them that fits, as soon as it is there.
    pub async fn logged_after(&self, skip: usize, fits: impl Fn(&Value) -> bool) -> Value {
        let mut count = self.count.clone();
        in_time(async {
            loop {
                count.borrow_and_update();
                let lines = self.log();
                let new = lines
                    .iter()
                    .skip(skip)
                    .filter_map(|line| serde_json::from_str(line).ok());
                if let Some(line) = new.into_iter().find(&fits) {
                    return line;
                }
                count
                    .changed()
                    .await
                    .unwrap_or_else(|_| panic!("it ended:\n{}", lines.join("\n")));
            }
        })
        .await
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub async fn wait(&mut self) -> ExitStatus {
        in_time(self.child.wait()).await.unwrap()
    }

    /// The value of a metric's line that begins with `name`; 0 where there is none.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = super::client::admin(self.admin, "/metrics").await;
        let text = String::from_utf8(text.body.to_vec()).unwrap();
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next())
            .map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until a metric has come to `least`, and says what it is then. What a client sees of a failed handshake, or
    /// of an answer, may come before the gateway has counted it.
    pub async fn counted(&self, name: &str, least: f64) -> f64 {
        in_time(async {
            loop {
                let value = self.metric(name).await;
                if value >= least {
                    return value;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        })
        .await
    }
}

async fn wait(
    lines: &Mutex<Vec<String>>,
    count: &mut watch::Receiver<usize>,
    fits: impl Fn(&Value) -> bool,
) -> Option<Value> {
    let mut seen = 0;
    loop {
        let ended = count.has_changed().is_err();
        count.borrow_and_update();
        let new = lines
            .lock()
            .unwrap()
            .get(seen..)
            .unwrap_or_default()
            .to_vec();
        seen += new.len();
        let line = new
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .find(&fits);
        if line.is_some() || ended {
            return line;
        }
        let _ = count.changed().await;
    }
}
