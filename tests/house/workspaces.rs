//! The Cargo workspaces of this repository, and the crates in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

/// Manifests of all our workspaces, from the repository's root.
const WORKSPACES: [&str; 5] = [
    "Cargo.toml",
    "policies/Cargo.toml",
    "tests/fuzz/Cargo.toml",
    "gateway/policy/guests/hostile/Cargo.toml",
    "gateway/policy/guests/wasi/Cargo.toml",
];

/// One compilation unit: a library, a program, a test binary, a benchmark or an example.
pub(crate) struct Crate {
    pub(crate) package: String,
    pub(crate) target: String,
    pub(crate) root_file: PathBuf,
}

pub(crate) fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../..").canonicalize().unwrap()
}

/// Existing files that git knows or would add and that match `pattern`, from the repository's root. Build output is none of them.
pub(crate) fn tracked(pattern: &str) -> Vec<String> {
    let root = repository();
    let mut git = Command::new("git");
    git.current_dir(&root);
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let output = git.arg(pattern).output().expect("git is installed");
    assert!(output.status.success(), "git ls-files: {output:?}");
    let listing = String::from_utf8(output.stdout).unwrap();
    let existing = listing.lines().filter(|file| root.join(file).exists());
    existing.map(str::to_owned).collect()
}

/// The packages of one workspace, without their dependencies from elsewhere.
pub(crate) fn metadata(manifest: &str) -> Metadata {
    let mut command = MetadataCommand::new();
    command.no_deps().manifest_path(repository().join(manifest));
    command.exec().unwrap()
}

/// Every crate of every workspace.
pub(crate) fn crates() -> Vec<Crate> {
    let packages = WORKSPACES
        .iter()
        .flat_map(|manifest| metadata(manifest).packages);
    packages.flat_map(targets).collect()
}

fn targets(package: cargo_metadata::Package) -> Vec<Crate> {
    let of_target = |target: cargo_metadata::Target| Crate {
        package: package.name.to_string(),
        target: target.name,
        root_file: target.src_path.canonicalize().unwrap(),
    };
    package.targets.into_iter().map(of_target).collect()
}
