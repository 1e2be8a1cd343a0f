//! Calls cargo and rustc: finds the policies of a workspace and builds them reproducibly.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use cargo_metadata::{CrateType, Metadata, MetadataCommand, Package};

/// The compilation target. It has no system interface, so policies have no imports.
const TARGET: &str = "wasm32-unknown-unknown";

/// A crate that is a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crate {
    pub(super) name: String,
    /// The crate's folder.
    pub(super) folder: PathBuf,
    /// The path of the core module that cargo builds.
    pub(super) module: PathBuf,
}

/// The policies of one cargo workspace.
pub(super) struct Workspace {
    pub(super) policies: Vec<Crate>,
    root: PathBuf,
    /// Folders whose paths must not occur in a component, each with its replacement.
    remapped: BTreeSet<(PathBuf, String)>,
}

impl Workspace {
    /// The policy in `folder`, or all policies if `folder` is the root of a workspace.
    pub(super) fn find(folder: &Path, locked: bool) -> anyhow::Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("cannot open `{}`", folder.display()))?;
        let mut options = vec!["--filter-platform".to_owned(), TARGET.to_owned()];
        options.extend(locked.then(|| "--locked".to_owned()));
        let metadata = MetadataCommand::new()
            .current_dir(&folder)
            .other_options(options)
            .exec()
            .with_context(|| format!("cannot read the crates of `{}`", folder.display()))?;
        let policies: Vec<_> = policies(&metadata, &folder).collect();
        if policies.is_empty() {
            bail!(
                "no policy in `{}`: the Cargo.toml of a policy has `crate-type = [\"cdylib\"]`",
                folder.display()
            );
        }
        Ok(Self {
            policies,
            remapped: metadata.packages.iter().filter_map(remapped).collect(),
            root: metadata.workspace_root.into(),
        })
    }

    /// Builds all policies in release mode.
    pub(super) fn compile(&self, locked: bool) -> anyhow::Result<()> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--lib", "--target", TARGET])
            .current_dir(&self.root);
        cargo.args(locked.then_some("--locked"));
        for policy in &self.policies {
            cargo.args(["--package", &policy.name]);
        }
        let flags = self
            .remapped
            .iter()
            .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
        cargo.env(
            "CARGO_ENCODED_RUSTFLAGS",
            flags.collect::<Vec<_>>().join("\u{1f}"),
        );
        let status = cargo.status().context("cannot run cargo")?;
        if status.success() {
            Ok(())
        } else {
            bail!("cargo build failed ({status})")
        }
    }
}

/// The policies among the workspace's crates: in `folder`, or all where it is the workspace's root.
fn policies(metadata: &Metadata, folder: &Path) -> impl Iterator<Item = Crate> {
    let members = metadata.workspace_packages().into_iter();
    members.filter_map(move |package| {
        let own = package.manifest_path.parent()?;
        let is_policy = |kinds: &[CrateType]| kinds.contains(&CrateType::CDyLib);
        let target = package
            .targets
            .iter()
            .find(|target| is_policy(&target.crate_types))?;
        let module = format!("{}.wasm", target.name.replace('-', "_"));
        let release = metadata.target_directory.join(TARGET).join("release");
        (own == folder || metadata.workspace_root == folder).then(|| Crate {
            name: package.name.to_string(),
            folder: own.into(),
            module: release.join(module).into(),
        })
    })
}

/// The replacement of a package's path in panic messages. Otherwise the bytes would depend on the home folder.
fn remapped(package: &Package) -> Option<(PathBuf, String)> {
    let own = package.manifest_path.parent()?;
    if package.source.is_none() {
        return Some((own.into(), format!("/{}", package.name)));
    }
    Some((own.parent()?.into(), "/crates".to_owned()))
}

/// Fails with a hint if the active toolchain cannot compile for the target.
pub(super) fn expect_target(folder: &Path) -> anyhow::Result<()> {
    let libraries = output(rustc(folder).args(["--print", "target-libdir", "--target", TARGET]))?;
    let is_core = |name: &OsStr| {
        name.to_str()
            .is_some_and(|name| name.starts_with("libcore-"))
    };
    let found = Path::new(libraries.trim())
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    if found
        .map(|entry| entry.file_name())
        .any(|name| is_core(&name))
    {
        return Ok(());
    }
    bail!(
        "{} cannot compile for {TARGET}: run `rustup target add {TARGET}`",
        version(folder)?
    )
}

/// The output of `rustc --version`.
pub(super) fn version(folder: &Path) -> anyhow::Result<String> {
    Ok(output(rustc(folder).arg("--version"))?.trim().to_owned())
}

fn rustc(folder: &Path) -> Command {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(folder);
    rustc
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run `{program}`"))?;
    if !output.status.success() {
        bail!("`{program}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("the output of `{program}` is not text"))
}
