use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use wasmtime::component::Component;

use crate::Engine;
use crate::module::sha256;
use crate::wasi::Wasi;

/// The length of a seal, in bytes.
const SEAL: usize = digest::SHA256_OUTPUT_LEN;

/// Compiled policies on the disk, by engine, module and settings. What is in here is run as native code, so nobody else may
/// be able to write to the folder: it must be ours and 0700, and so must every file in it be ours and 0600.
#[derive(Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// The cache in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// Where it cannot be made, or somebody else could write to it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let meta = std::fs::symlink_metadata(folder)?;
        if meta.is_dir() && is_private(&meta, 0o700) {
            Ok(Self(folder.to_path_buf()))
        } else {
            let why = "not a folder of this user's that nobody else may enter (0700)";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
        }
    }

    pub(crate) fn key(engine: &Engine, module: &str, wasi: Wasi, settings: &str) -> String {
        let mut hasher = DefaultHasher::new();
        engine
            .wasm()
            .precompile_compatibility_hash()
            .hash(&mut hasher);
        let version = env!("CARGO_PKG_VERSION");
        sha256(
            format!(
                "{:016x} {version} {module} {wasi:?} {settings}",
                hasher.finish()
            )
            .as_bytes(),
        )
    }

    /// The compiled component, if it is there and ours. What is there and does not load is passed over.
    pub(crate) fn load(&self, engine: &Engine, key: &str) -> Option<Component> {
        let path = self.path(key);
        let meta = std::fs::symlink_metadata(&path).ok()?;
        (meta.is_file() && meta.nlink() == 1 && is_private(&meta, 0o600)).then_some(())?;
        let file = std::fs::read(&path).ok()?;
        let (seal, compiled) = file.split_at_checked(SEAL)?;
        (seal == sealed(key, compiled)).then(|| deserialize(engine, compiled))?
    }

    /// Keeps `component`. That it cannot be kept costs time at the next start and nothing else.
    pub(crate) fn store(&self, key: &str, component: &Component) {
        // Whoever reads it must find all of it, so it is written under another name and renamed.
        let temporary = self.path(&format!("{key}.{}", std::process::id()));
        let written = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|bytes| {
                let mut file: File = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&temporary)?;
                file.write_all(&sealed(key, &bytes))?;
                file.write_all(&bytes)?;
                file.sync_all()?;
                std::fs::rename(&temporary, self.path(key))
            });
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.0.join(format!("{key}.cwasm"))
    }
}

fn is_private(meta: &std::fs::Metadata, mode: u32) -> bool {
    meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o7777 == mode
}

#[expect(
    unsafe_code,
    reason = "running code from a file is what a cache of compiled code is for"
)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: the bytes were written by this program: the folder is 0700 and ours, the file 0600, ours and no link, as was
    // checked when the folder was opened and just before this, and it has its seal, so no disk has bent it. wasmtime itself
    // refuses what another engine compiled.
    unsafe { Component::deserialize(engine.wasm(), compiled) }.ok()
}

/// Stands before what is kept: a bent file, or another entry under this name, is found out before it runs.
fn sealed(key: &str, compiled: &[u8]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(key.as_bytes());
    context.update(compiled);
    context.finish().as_ref().to_vec()
}
