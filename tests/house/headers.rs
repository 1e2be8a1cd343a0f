//! Every source file says on its first line what it is for.

use std::fs;
use std::path::Path;

use crate::workspaces::{repository, tracked};

/// Folders in which files still lack it. Whoever mends a folder's last file removes its entry.
const STILL_SILENT: &[&str] = &[];

#[test]
fn every_source_file_begins_with_its_purpose() {
    let mut silent = silent_files();
    silent.retain(|file| !STILL_SILENT.iter().any(|folder| file.starts_with(folder)));
    assert!(
        silent.is_empty(),
        "files without `//!` on their first line:\n{}",
        silent.join("\n")
    );
}

#[test]
fn allowed_folders_still_have_silent_files() {
    let silent = silent_files();
    // A folder that is not there yet, or no more, is somebody's move under way.
    let present = |folder: &&&str| repository().join(folder).is_dir();
    for folder in STILL_SILENT.iter().filter(present) {
        assert!(
            silent.iter().any(|file| file.starts_with(folder)),
            "every file in {folder} has its first line: remove it from STILL_SILENT"
        );
    }
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
