//! No crate of ours has files that import each other in a cycle.

use std::fs;
use std::path::Path;

use crate::imports::graph_of;
use crate::workspaces::{Crate, crates, repository};

#[test]
fn files_of_a_crate_form_no_cycle() {
    let cycles: Vec<_> = crates().iter().flat_map(cycles_of).collect();
    assert!(cycles.is_empty(), "import cycles:\n{}", cycles.join("\n"));
}

/// The crate's cycles, each with the package's name.
fn cycles_of(unit: &Crate) -> Vec<String> {
    let read = |file: &Path| fs::read_to_string(file).ok();
    let cycles = graph_of(&unit.root_file, &read).cycles(&repository());
    let (package, target) = (&unit.package, &unit.target);
    cycles
        .into_iter()
        .map(|cycle| format!("{package} ({target}): {cycle}"))
        .collect()
}
