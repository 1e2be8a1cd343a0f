//! Watches the folders of files. Folders, not files: Kubernetes swaps a symbolic link, and a file that was watched itself never
//! changes again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::warn;

/// How long the folders must have been quiet before files are read: a rollout changes several.
const QUIET: Duration = Duration::from_millis(250);
/// Files are read after this time anyway: a folder that also holds the audit log is never quiet.
const LATEST: Duration = Duration::from_secs(2);

/// The watched folders.
pub(super) struct Watch {
    /// Absent where the system cannot watch.
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    changes: Receiver<()>,
}

impl Watch {
    pub(super) fn new() -> Self {
        let (sender, changes) = mpsc::channel(1);
        Self {
            watcher: watcher(sender),
            folders: BTreeSet::new(),
            changes,
        }
    }

    /// Watches the folders of `files`, too.
    pub(super) fn add(&mut self, files: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for folder in files.iter().filter_map(|file| file.parent()).map(named) {
            if self.folders.contains(&folder) {
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.folders.insert(folder)),
                Err(error) => {
                    warn!(%error, folder = %folder.display(), "cannot watch a folder; SIGHUP still reloads");
                }
            }
        }
    }

    /// Waits for a change in one of the folders. Never ends where nothing can be watched.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the folders are quiet, or for so long that files are read anyway.
    pub(super) async fn settle(&mut self) {
        let quiet = async {
            while tokio::time::timeout(QUIET, self.changes.recv())
                .await
                .is_ok_and(|change| change.is_some())
            {}
        };
        let _ = tokio::time::timeout(LATEST, quiet).await;
    }
}

fn watcher(sender: Sender<()>) -> Option<RecommendedWatcher> {
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // A full channel holds a change already.
            let _ = sender.try_send(());
        }
    });
    watcher
        .inspect_err(|error| warn!(%error, "cannot watch files; SIGHUP still reloads"))
        .ok()
}

/// The parent of a bare file name is empty, and means the working folder.
fn named(parent: &Path) -> PathBuf {
    if parent.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        parent.to_path_buf()
    }
}
