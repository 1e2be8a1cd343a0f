//! Which file of a crate uses names of which other file, read from the sources with `syn`.
//!
//! An edge between a module and its own descendants does not count: a declaration, a re-export, a path to an ancestor's
//! items. Every other `use` and path does. A path through a re-export leads to the file that defines the name. Items
//! under `#[cfg(test)]` are left out, since they are not in the crate that others get.

mod collect;
mod graph;
mod module;
mod paths;
mod resolve;
mod skipped;

use std::path::{Path, PathBuf};

pub(crate) use self::graph::Graph;

/// Reads a source file; nothing where there is none.
pub(crate) type ReadFile<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// The imports between the files of the crate that begins with `root_file`.
pub(crate) fn graph_of(root_file: &Path, read: ReadFile<'_>) -> Graph {
    let modules = collect::modules_of(root_file, read);
    let names = resolve::Names::new(&modules);
    let mut graph = Graph::default();
    for (from, module) in modules.iter().enumerate() {
        for mention in &module.mentions {
            for (to, name) in names.defined_by(from, mention) {
                let ends = (module, &modules[to]);
                if ends.0.file != ends.1.file && !related(&modules, ends.0, ends.1) {
                    graph.add(&ends.0.file, &ends.1.file, name);
                }
            }
        }
    }
    graph
}

/// Whether one of the two modules' files is an ancestor of the other in the module tree.
fn related(modules: &[module::Module], one: &module::Module, other: &module::Module) -> bool {
    let place = |file: &PathBuf| {
        let first = modules.iter().find(|module| &module.file == file);
        first.map_or(&[][..], |module| &module.path[..])
    };
    let (one, other) = (place(&one.file), place(&other.file));
    one.starts_with(other) || other.starts_with(one)
}
