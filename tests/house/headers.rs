//! Every source file says on its first line what it is for.

use std::fs;
use std::path::Path;

use crate::workspaces::{repository, tracked};

#[test]
fn every_source_file_begins_with_its_purpose() {
    let silent = silent_files();
    assert!(
        silent.is_empty(),
        "files without `//!` on their first line:\n{}",
        silent.join("\n")
    );
}

fn silent_files() -> Vec<String> {
    let root = repository();
    let mut files = tracked("*.rs");
    files.retain(|file| !begins_with_purpose(&root.join(file)));
    files
}

fn begins_with_purpose(file: &Path) -> bool {
    fs::read_to_string(file).unwrap().starts_with("//! ")
}
