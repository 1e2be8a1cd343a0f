use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::cargo::{self, Crate, Workspace};
use super::componentize::{self, Component};
use super::lock::{self, Entry, Lock};
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `policy build`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// The policies' crates, or a cargo workspace for all that are in it.
    #[arg(value_name = "DIR", default_value = ".")]
    folders: Vec<PathBuf>,
    /// Also record in this file which source each component is made of.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
}

const AFTER: &str = "\
The component is written beside the crate's Cargo.toml, under the crate's name.
The same source, compiler and Cargo.lock give the same bytes on every machine.

The compiler needs its target, once:
  rustup target add wasm32-unknown-unknown";

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let mut lock = options.lock.as_deref().map(Lock::open).transpose()?;
    for folder in &options.folders {
        let workspace = Workspace::find(folder, lock.is_some())?;
        cargo::expect_target(folder)?;
        workspace.compile(lock.is_some())?;
        for policy in &workspace.policies {
            let component =
                component(policy).with_context(|| format!("`{}` is no policy", policy.name))?;
            let file = policy.folder.join(format!("{}.wasm", policy.name));
            write(&file, &component.bytes)?;
            print(told(&file, &component));
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
            "cannot open `{}`, where cargo leaves the module",
            policy.module.display()
        )
    })?;
    componentize::componentize(&module)
}

fn told(file: &Path, component: &Component) -> String {
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
        sha256 = lock::sha256(&component.bytes),
    )
}

fn entry(policy: &Crate, folder: &str, component: &Component) -> anyhow::Result<Entry> {
    Ok(Entry {
        name: policy.name.clone(),
        kind: component.kind,
        component: format!("{folder}/{}.wasm", policy.name),
        bytes: u64::try_from(component.bytes.len())
            .context("a component of more than 2^64 bytes")?,
        sha256: lock::sha256(&component.bytes),
        rustc: cargo::version(&policy.folder)?,
        source: String::new(),
    })
}

/// The policy's folder as the lock names it: from its own.
fn below(policy: &Path, lock: &Path) -> anyhow::Result<String> {
    let here = lock::folder(lock)
        .canonicalize()
        .with_context(|| format!("cannot open `{}`", lock.display()))?;
    let folder = policy.strip_prefix(&here).with_context(|| {
        format!(
            "`{}` is not below the folder of `{}`",
            policy.display(),
            lock.display()
        )
    })?;
    Ok(folder.to_string_lossy().into_owned())
}

/// Writes a file, whole or not at all: a gateway that watches the folder must not load half a component.
pub(super) fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let attempt = || {
        let mut new = tempfile::NamedTempFile::new_in(lock::folder(file))?;
        std::io::Write::write_all(&mut new, bytes)?;
        // Readable as any file that a compiler writes; a temporary one is its owner's alone.
        std::fs::set_permissions(
            new.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o644),
        )?;
        new.persist(file)?;
        std::io::Result::Ok(())
    };
    attempt().with_context(|| format!("cannot write `{}`", file.display()))
}
