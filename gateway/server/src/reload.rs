//! New policies, and another key for the audit log, without a restart: on SIGHUP, and when a file changes.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::audit_keys;
use crate::config::{Config, ConfigError};
use crate::error_chain::cause;
use crate::pipeline::Context;
use crate::policies::Prepared;

/// How long files must have been quiet before they are read: a rollout changes several.
const QUIET: Duration = Duration::from_millis(250);
/// After so long they are read anyway: a folder that has the audit log in it, too, is never quiet.
const LATEST: Duration = Duration::from_secs(2);

/// What a running gateway reads again, and when.
pub struct Reload {
    /// Reads the configuration anew.
    pub read: Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
    /// The configuration's file. Its folder is watched, and those of the policies and of the audit log's key.
    pub file: PathBuf,
    /// Somebody asks for it (SIGHUP).
    pub asked: Arc<Notify>,
}

/// Takes in changes until `stop`. Folders are watched, not files: Kubernetes swaps a symlink, and then the
/// file that was watched never changes again.
pub(crate) async fn follow(reload: Reload, cx: Context, config: &Config, stop: CancellationToken) {
    let reload = Arc::new(reload);
    let (news, mut changes) = mpsc::channel(1);
    let mut watch = Watch {
        watcher: watcher(news),
        folders: BTreeSet::new(),
    };
    watch.add(folders(&files(&reload.file, config)));
    let mut seen = prints(files(&reload.file, config));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = reload.asked.notified() => {}
            Some(()) = changes.recv() => {
                settle(&mut changes).await;
                // Other files live in these folders, too.
                if prints(seen.keys().cloned()) == seen {
                    continue;
                }
            }
        }
        seen = prints(seen.into_keys());
        if let Some(config) = take(&reload, &cx).await {
            let files = files(&reload.file, &config);
            watch.add(folders(&files));
            // As they were before they were read: what has changed since then is yet to be taken.
            seen = prints(files)
                .into_iter()
                .map(|(file, now)| before(&seen, file, now))
                .collect();
        }
    }
}

/// Waits until nothing changes any more.
async fn settle(changes: &mut mpsc::Receiver<()>) {
    let quiet = async {
        while tokio::time::timeout(QUIET, changes.recv())
            .await
            .is_ok_and(|change| change.is_some())
        {}
    };
    let _ = tokio::time::timeout(LATEST, quiet).await;
}

/// Reads, loads and swaps; what is wrong with it is told and changes nothing.
async fn take(reload: &Arc<Reload>, cx: &Context) -> Option<Config> {
    match ready(reload, cx).await {
        Ok((config, policies)) => {
            cx.policies.take(policies);
            Some(config)
        }
        Err(why) => {
            cx.policies.reject(&why);
            None
        }
    }
}

/// What only has to be swapped in. The key comes last, since a change of it is on record as soon as it is made.
async fn ready(reload: &Arc<Reload>, cx: &Context) -> Result<(Config, Prepared), String> {
    let (read, policies) = (Arc::clone(reload), Arc::clone(&cx.policies));
    let prepared = tokio::task::spawn_blocking(move || {
        let config = (read.read)().map_err(|error| cause(&error))?;
        let policies = policies.prepare(&config).map_err(|error| cause(&error))?;
        let signing = audit_keys::signing(&config.audit).map_err(|error| cause(&error))?;
        Ok((config, policies, signing))
    });
    let prepared = prepared
        .await
        .unwrap_or_else(|_| Err("loading it failed".to_owned()));
    let (config, policies, signing) = prepared?;
    let key = signing
        .as_ref()
        .map_or("none", |signing| signing.key.public().id())
        .to_owned();
    if cx
        .audit
        .change_key(signing)
        .await
        .map_err(|error| cause(&error))?
    {
        info!(key, "another key signs the audit log, or none");
    }
    Ok((config, policies))
}

fn watcher(news: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // A full channel holds the news already.
            let _ = news.try_send(());
        }
    });
    watcher
        .inspect_err(|error| warn!(%error, "files cannot be watched; SIGHUP still reloads"))
        .ok()
}

/// The folders that are watched.
struct Watch {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    fn add(&mut self, folders: BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for folder in folders {
            if self.folders.contains(&folder) {
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.folders.insert(folder)),
                Err(error) => {
                    warn!(%error, folder = %folder.display(), "a folder cannot be watched; SIGHUP still reloads");
                }
            }
        }
    }
}

/// The files that are read again.
fn files(file: &Path, config: &Config) -> Vec<PathBuf> {
    let policies = config.policies.iter().chain(&config.shadow.policies);
    let key = audit_keys::key(&config.audit).map(Path::to_path_buf);
    policies
        .map(|policy| policy.file.clone())
        .chain(key)
        .chain([file.to_path_buf()])
        .collect()
}

fn folders(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let folder = |parent: &Path| {
        if parent.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            parent.to_path_buf()
        }
    };
    files
        .iter()
        .filter_map(|file| file.parent())
        .map(folder)
        .collect()
}

/// By what a file is known to be the one that was read: where its links lead, and what is there.
type Print = (PathBuf, u64, u64, i64, i64);

/// Each file with what it is known by; `None` where there is none.
type Prints = BTreeMap<PathBuf, Option<Print>>;

fn prints(files: impl IntoIterator<Item = PathBuf>) -> Prints {
    let print = |file: &Path| {
        let real = file.canonicalize().ok()?;
        let meta = real.metadata().ok()?;
        // Not when it was written: a mode that is set after that may make a key usable.
        Some((
            real,
            meta.ino(),
            meta.size(),
            meta.ctime(),
            meta.ctime_nsec(),
        ))
    };
    files
        .into_iter()
        .map(|file| (file.clone(), print(&file)))
        .collect()
}

fn before(seen: &Prints, file: PathBuf, now: Option<Print>) -> (PathBuf, Option<Print>) {
    let print = seen.get(&file).cloned().unwrap_or(now);
    (file, print)
}
