//! The result of a comparison of two archives.

use gateway_core::{Mount, OpenFile, OpenSocket};
use serde::Serialize;

/// The most items of one list.
const MAX_LIST: usize = 1000;

/// The differences between two archives, without a value of a variable, a file or memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Whether nothing differs of what is compared.
    pub same: bool,
    /// The container's names and images that differ.
    pub container: Vec<FieldChange>,
    /// The processes that differ.
    pub processes: Vec<ProcessChange>,
    /// The memory of the processes that both archives have.
    pub memory: Vec<MemoryChanges>,
    /// The names of variables in `spec.dump`.
    pub env: Changes<String>,
    /// The mounts in `spec.dump`.
    pub mounts: Changes<Mount>,
    /// The keys of annotations.
    pub annotations: Changes<String>,
    /// The files in `rootfs-diff.tar`.
    pub files: FileChanges,
    /// Parts of the archives that were not compared, and why.
    pub not_compared: Vec<String>,
    /// Whether lists were cut short because a bound was reached.
    pub truncated: bool,
}

/// Items of the second archive that the first does not have, and the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes<T> {
    /// Items of the first archive only.
    pub gone: Vec<T>,
    /// Items of the second archive only.
    pub new: Vec<T>,
    /// The number of further items, which are not listed.
    pub unlisted: u64,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field's name.
    pub field: String,
    /// Its content in the first archive.
    pub before: Option<String>,
    /// Its content in the second archive.
    pub after: Option<String>,
}

/// A process that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessChange {
    /// The process id.
    pub pid: u64,
    /// Its name.
    pub command: Option<String>,
    /// `gone`, `new` or `changed`.
    pub change: &'static str,
    /// What differs of it: `command`, `arguments`, `parent`, `threads`, `state`, `executable`, `cwd`, `root`.
    pub fields: Vec<&'static str>,
    /// The names of its variables.
    pub env: Changes<String>,
    /// What it has open, apart from sockets.
    pub files: Changes<OpenFile>,
    /// Its sockets.
    pub sockets: Changes<OpenSocket>,
}

/// Numbers of pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PageCounts {
    /// Pages with the same contents in both archives.
    pub equal: u64,
    /// Pages with different contents.
    pub changed: u64,
    /// Pages of the second archive only.
    pub new: u64,
    /// Pages of the first archive only.
    pub gone: u64,
}

/// The memory of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MemoryChanges {
    /// The process id.
    pub pid: u64,
    /// The size of a page in bytes.
    pub page_size: u64,
    /// All pages.
    pub pages: PageCounts,
    /// The mappings with pages in an archive, by address.
    pub mappings: Vec<MappingPages>,
    /// The number of further mappings, which are not listed.
    pub unlisted: u64,
}

/// The pages of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MappingPages {
    /// Its addresses, in hex as in `/proc/PID/maps`.
    pub range: String,
    /// `[heap]`, `[stack]`, the path of a file, ...
    pub name: String,
    /// Its pages.
    pub pages: PageCounts,
}

/// The container's changed files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileChanges {
    /// Files of one archive only.
    #[serde(flatten)]
    pub presence: Changes<String>,
    /// Files whose contents, kind, mode or target differ.
    pub changed: Vec<String>,
    /// Whether all files were compared; they are not if there are too many of them.
    pub whole: bool,
}

impl Comparison {
    pub(super) fn is_same(&self) -> bool {
        let memory = self.memory.iter().all(|memory| memory.pages.is_same());
        self.container.is_empty()
            && self.processes.is_empty()
            && memory
            && self.env.is_empty()
            && self.mounts.is_empty()
            && self.annotations.is_empty()
            && self.files.presence.is_empty()
            && self.files.changed.is_empty()
    }
}

impl<T> Default for Changes<T> {
    fn default() -> Self {
        Self {
            gone: Vec::new(),
            new: Vec::new(),
            unlisted: 0,
        }
    }
}

impl<T: Clone + PartialEq + std::hash::Hash + Eq> Changes<T> {
    /// The items that only one side has.
    pub(super) fn between<'a>(
        before: impl IntoIterator<Item = &'a T>,
        after: impl IntoIterator<Item = &'a T>,
    ) -> Self
    where
        T: 'a,
    {
        let (before, after): (Vec<_>, Vec<_>) =
            (before.into_iter().collect(), after.into_iter().collect());
        let mut changes = Self::default();
        changes.gone = changes.only_in(&before, &after);
        changes.new = changes.only_in(&after, &before);
        changes
    }

    fn only_in(&mut self, these: &[&T], others: &[&T]) -> Vec<T> {
        let others: std::collections::HashSet<_> = others.iter().copied().collect();
        let mut only = Vec::new();
        for item in these.iter().filter(|item| !others.contains(**item)) {
            if only.len() < MAX_LIST {
                only.push((*item).clone());
            } else {
                self.unlisted += 1;
            }
        }
        only
    }
}

impl<T> Changes<T> {
    /// Whether both sides have the same.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty()
    }
}

impl PageCounts {
    /// Whether all pages are equal.
    pub fn is_same(self) -> bool {
        (self.changed, self.new, self.gone) == (0, 0, 0)
    }

    pub(super) fn add(&mut self, more: Self) {
        for (all, more) in [
            (&mut self.equal, more.equal),
            (&mut self.changed, more.changed),
            (&mut self.new, more.new),
            (&mut self.gone, more.gone),
        ] {
            *all = all.saturating_add(more);
        }
    }
}
