//! Edges between files, and the cycles that they form.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Each file with the files whose names it uses, and which names these are.
#[derive(Default)]
pub(crate) struct Graph {
    edges: BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>,
}

impl Graph {
    pub(crate) fn add(&mut self, from: &Path, to: &Path, name: String) {
        let targets = self.edges.entry(from.to_owned()).or_default();
        targets.entry(to.to_owned()).or_default().insert(name);
    }

    /// Every largest set of files that reach one another, described for a reader; paths are shown from `base`.
    pub(crate) fn cycles(&self, base: &Path) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut cycles = Vec::new();
        for file in self.edges.keys() {
            let members = self.cycle_through(file);
            if !members.is_empty() && seen.insert(members.clone()) {
                cycles.push(self.describe(&members, base));
            }
        }
        cycles
    }

    /// The files that this one reaches and that reach it; empty if it is in no cycle.
    fn cycle_through(&self, file: &Path) -> BTreeSet<PathBuf> {
        let reached = self.reached_from(file);
        let back = |other: &PathBuf| self.reached_from(other).contains(file);
        reached.into_iter().filter(back).collect()
    }

    fn reached_from(&self, file: &Path) -> BTreeSet<PathBuf> {
        let mut reached = BTreeSet::new();
        let mut open = VecDeque::from([file.to_owned()]);
        while let Some(next) = open.pop_front() {
            for target in self.edges.get(&next).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(target.clone()) {
                    open.push_back(target.clone());
                }
            }
        }
        reached
    }

    fn describe(&self, members: &BTreeSet<PathBuf>, base: &Path) -> String {
        let short = |file: &Path| {
            file.strip_prefix(base)
                .unwrap_or(file)
                .display()
                .to_string()
        };
        let mut text = format!("{} files:", members.len());
        for from in members {
            for (to, names) in &self.edges[from] {
                if members.contains(to) {
                    let names: Vec<_> = names.iter().map(String::as_str).collect();
                    let (from, to, names) = (short(from), short(to), names.join(", "));
                    write!(text, "\n  {from} -> {to}: {names}").unwrap();
                }
            }
        }
        text
    }
}
