//! The lock file: records the source of each committed component, so that CI finds components that are out of date.

use std::path::{Path, PathBuf};

use anyhow::Context;
use aws_lc_rs::digest::{self, SHA256};
use gateway_files::parent;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::readable::write_readable;

const HEADER: &str = "\
# Written by `ckpt policy build --lock`. `source` is the SHA-256 of the files that a component is made of:
# the policy's Cargo.toml, schema.json and src, and what is `shared`. Each counts as its path from this folder, a NUL, its
# length in bytes, a NUL and its content, in the order of the paths.
";

/// The files of a policy that determine its component, in addition to the shared ones.
const OWN: [&str; 3] = ["Cargo.toml", "schema.json", "src"];

/// The files that all policies of a folder share, if they exist.
const SHARED: [&str; 5] = [
    "Cargo.lock",
    "Cargo.toml",
    "sdk/Cargo.toml",
    "sdk/src",
    "../wit/v0.1.0",
];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    version: u32,
    /// Files and folders, relative to the lock file's folder.
    shared: Vec<String>,
    #[serde(default, rename = "policy")]
    policies: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Relative to the lock file's folder.
    pub(super) component: String,
    pub(super) bytes: u64,
    /// The digest of the component.
    pub(super) sha256: String,
    /// The output of `rustc --version`.
    pub(super) rustc: String,
    /// Filled in by [`Lock::put`].
    #[serde(default)]
    pub(super) source: String,
}

impl Lock {
    /// Reads the lock file, or creates an empty lock.
    pub(super) fn open(file: &Path) -> anyhow::Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                toml::from_str(&text).with_context(|| format!("cannot read `{}`", file.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let here = parent(file);
                let shared = SHARED.into_iter().filter(|path| here.join(path).exists());
                Ok(Self {
                    version: 1,
                    shared: shared.map(str::to_owned).collect(),
                    policies: Vec::new(),
                })
            }
            Err(error) => Err(error).with_context(|| format!("cannot open `{}`", file.display())),
        }
    }

    /// Adds an entry, or replaces the one of the same name.
    pub(super) fn put(
        &mut self,
        file: &Path,
        policy: &str,
        mut entry: Entry,
    ) -> anyhow::Result<()> {
        entry.source = self.source(parent(file), policy)?;
        self.policies.retain(|other| other.name != entry.name);
        self.policies.push(entry);
        self.policies
            .sort_by(|one, other| one.name.cmp(&other.name));
        Ok(())
    }

    /// Writes the lock file in one step.
    pub(super) fn save(&self, file: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self).context("cannot write the lock as TOML")?;
        write_readable(file, format!("{HEADER}{text}").as_bytes())
    }

    /// The digest of the source of the policy in the folder `policy`, relative to the lock file's folder.
    fn source(&self, here: &Path, policy: &str) -> anyhow::Result<String> {
        let mut files = Vec::new();
        let own = OWN.iter().map(|path| format!("{policy}/{path}"));
        for path in own.chain(self.shared.iter().cloned()) {
            collect(here, path, &mut files).context("cannot read the sources")?;
        }
        files.sort();
        let mut hash = digest::Context::new(&SHA256);
        for path in files {
            let content =
                std::fs::read(here.join(&path)).with_context(|| format!("cannot open `{path}`"))?;
            hash.update(format!("{path}\0{}\0", content.len()).as_bytes());
            hash.update(&content);
        }
        Ok(hex::encode(hash.finish()))
    }
}

/// Collects the file `path`, or all files in the folder `path`.
fn collect(here: &Path, path: String, files: &mut Vec<String>) -> std::io::Result<()> {
    let full: PathBuf = here.join(&path);
    if !full.is_dir() {
        if full.exists() {
            files.push(path);
        }
        return Ok(());
    }
    for entry in full.read_dir()? {
        let name = entry?.file_name();
        collect(here, format!("{path}/{}", name.to_string_lossy()), files)?;
    }
    Ok(())
}
