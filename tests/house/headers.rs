//! Every source file says on its first line what it is for.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::workspaces::repository;

/// Folders in which files still lack it. Whoever mends a folder's last file removes its entry.
const STILL_SILENT: &[&str] = &["gateway/archive/", "gateway/server/"];

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
    let mut files = tracked_sources(&root);
    files.retain(|file| !begins_with_purpose(&root.join(file)));
    files
}

/// Rust files that git knows or would take, so that build output does not count.
fn tracked_sources(root: &Path) -> Vec<String> {
    let mut git = Command::new("git");
    git.current_dir(root);
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let output = git.arg("*.rs").output().expect("git is installed");
    assert!(output.status.success(), "git ls-files: {output:?}");
    let listing = String::from_utf8(output.stdout).unwrap();
    let existing = listing.lines().filter(|file| root.join(file).exists());
    existing.map(str::to_owned).collect()
}

fn begins_with_purpose(file: &Path) -> bool {
    fs::read_to_string(file).unwrap().starts_with("//! ")
}
