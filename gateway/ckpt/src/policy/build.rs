//! `ckpt policy build`: builds components from crates.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::cargo::{self, Crate, Workspace};
use super::componentize::{self, Component};
use super::lock::{Entry, Lock};
use super::readable::write_readable;
use crate::digest;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `policy build`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// Crates of policies, or cargo workspaces that contain them.
    #[arg(value_name = "DIR", default_value = ".")]
    folders: Vec<PathBuf>,
    /// Record the source of each component in this file.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
}

const AFTER: &str = "\
Writes each component as NAME.wasm beside the crate's Cargo.toml. The same source, compiler and Cargo.lock give the same \
bytes on every machine.

The compiler needs its target, once:
  rustup target add wasm32-unknown-unknown

Examples:
  ckpt policy build no-fridays
  ckpt policy build policies --lock policies/policies.lock

Exit status:
  0  success
  1  a crate cannot be compiled, or it is not a policy
  2  wrong usage";

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let mut lock = options.lock.as_deref().map(Lock::open).transpose()?;
    for folder in &options.folders {
        let workspace = Workspace::find(folder, lock.is_some())?;
        cargo::expect_target(folder)?;
        workspace.compile(lock.is_some())?;
        for policy in &workspace.policies {
            let component =
                component(policy).with_context(|| format!("`{}` is not a policy", policy.name))?;
            let file = policy.folder.join(format!("{}.wasm", policy.name));
            write_readable(&file, &component.bytes)?;
            print(summary(&file, &component));
            if let (Some(lock), Some(to)) = (&mut lock, &options.lock) {
                let folder = below(&policy.folder, to)?;
                lock.put(to, &folder, entry(policy, &folder, &component)?)?;
            }
        }
    }
    if let (Some(lock), Some(to)) = (&lock, &options.lock) {
        lock.save(to)?;
    }
    Ok(Exit::Success)
}

fn component(policy: &Crate) -> anyhow::Result<Component> {
    let module = std::fs::read(&policy.module).with_context(|| {
        format!(
            "cannot open the module `{}` that cargo built",
            policy.module.display()
        )
    })?;
    componentize::componentize(&module)
}

fn summary(file: &Path, component: &Component) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let imports = if component.imports.is_empty() {
        "nothing".to_owned()
    } else {
        component.imports.join(", ")
    };
    format!(
        "{file}  {kind}, {bytes} bytes, imports {imports}, sha256:{sha256}",
        file = file.strip_prefix(here).unwrap_or(file).display(),
        kind = component.kind,
        bytes = component.bytes.len(),
        sha256 = digest::of_bytes(&component.bytes),
    )
}

fn entry(policy: &Crate, folder: &str, component: &Component) -> anyhow::Result<Entry> {
    Ok(Entry {
        name: policy.name.clone(),
        kind: component.kind,
        component: format!("{folder}/{}.wasm", policy.name),
        bytes: u64::try_from(component.bytes.len())
            .context("a component of more than 2^64 bytes")?,
        sha256: digest::of_bytes(&component.bytes),
        rustc: cargo::version(&policy.folder)?,
        source: String::new(),
    })
}

/// The policy's folder, relative to the folder of the lock file.
fn below(policy: &Path, lock: &Path) -> anyhow::Result<String> {
    let here = gateway_files::parent(lock)
        .canonicalize()
        .with_context(|| format!("cannot open `{}`", lock.display()))?;
    let folder = policy.strip_prefix(&here).with_context(|| {
        format!(
            "`{}` is not in the folder of `{}`",
            policy.display(),
            lock.display()
        )
    })?;
    Ok(folder.to_string_lossy().into_owned())
}
