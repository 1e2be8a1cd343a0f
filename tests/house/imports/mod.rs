//! Which file of a crate uses names of which other file, read from the sources with `syn`.
//!
//! A module and its descendants may use each other: a declaration is no edge, nor is a path to an ancestor's items. A path to a
//! descendant's items is an edge, since a cycle can lead through it and come back from elsewhere. Every other `use` and path is
//! an edge, both to the module that it names and, if that re-exports the name, to the file that defines it. Items under
//! `#[cfg(test)]` are left out, since they are not in the crate that others get.

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
                if ends.0.file != ends.1.file && !inside(&modules, ends.0, ends.1) {
                    graph.add(&ends.0.file, &ends.1.file, name);
                }
            }
        }
    }
    graph
}

/// Whether `ancestor`'s file is above `module`'s in the module tree.
fn inside(modules: &[module::Module], module: &module::Module, ancestor: &module::Module) -> bool {
    let place = |file: &PathBuf| {
        let first = modules.iter().find(|module| &module.file == file);
        first.map_or(&[][..], |module| &module.path[..])
    };
    place(&module.file).starts_with(place(&ancestor.file))
}
