//! No crate of ours has files that import each other in a cycle.

use std::fs;
use std::path::Path;

use crate::imports::graph_of;
use crate::workspaces::{Crate, crates, repository};

/// Packages whose cycles are still to be opened. Whoever opens a package's last cycle removes its entry.
const STILL_CYCLIC: &[&str] = &[];

#[test]
fn files_of_a_crate_form_no_cycle() {
    let found: Vec<_> = crates().iter().flat_map(cycles_of).collect();
    let new = found
        .iter()
        .filter(|(package, _)| !STILL_CYCLIC.contains(&package.as_str()));
    let new: Vec<_> = new.map(|(_, cycle)| cycle.as_str()).collect();
    assert!(new.is_empty(), "import cycles:\n{}", new.join("\n"));
}

#[test]
fn allowed_cycles_still_exist() {
    for allowed in STILL_CYCLIC {
        let mut of_package = crates();
        of_package.retain(|unit| unit.package == *allowed);
        assert!(
            of_package.iter().any(|unit| !cycles_of(unit).is_empty()),
            "{allowed} has no import cycle any more: remove it from STILL_CYCLIC"
        );
    }
}

/// The crate's cycles, each with the package's name.
fn cycles_of(unit: &Crate) -> Vec<(String, String)> {
    let read = |file: &Path| fs::read_to_string(file).ok();
    let cycles = graph_of(&unit.root_file, &read).cycles(&repository());
    let (package, target) = (&unit.package, &unit.target);
    let named = |cycle| (package.clone(), format!("{package} ({target}): {cycle}"));
    cycles.into_iter().map(named).collect()
}
