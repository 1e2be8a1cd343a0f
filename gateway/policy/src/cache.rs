//! The cache of compiled policies on the disk.

use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use wasmtime::component::Component;

use crate::digest::sha256;
use crate::engine::Engine;
use crate::wasi::Wasi;

/// The length of the checksum before the compiled code, in bytes.
const CHECKSUM: usize = digest::SHA256_OUTPUT_LEN;

/// Compiled policies by engine, module and settings. They run as native code, so no other user may write here: the folder
/// must be ours and 0700, and its files must be ours and 0600.
#[derive(Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// Opens the cache in `folder`, and creates the folder if it does not exist.
    ///
    /// # Errors
    /// If it cannot be created, or another user could write to it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let meta = std::fs::symlink_metadata(folder)?;
        if meta.is_dir() && is_private(&meta, 0o700) {
            Ok(Self(folder.to_path_buf()))
        } else {
            let why = "must be a folder of this user with mode 0700";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
        }
    }

    /// The key of a compiled policy. Another engine, version, module or setting has another key.
    pub(crate) fn key(engine: &Engine, module: &str, wasi: Wasi, settings: &str) -> String {
        let mut hasher = DefaultHasher::new();
        engine
            .wasm()
            .precompile_compatibility_hash()
            .hash(&mut hasher);
        let compatibility = hasher.finish();
        let version = env!("CARGO_PKG_VERSION");
        sha256(format!("{compatibility:016x} {version} {module} {wasi:?} {settings}").as_bytes())
    }

    /// The compiled component, if the file exists, is private and has a valid checksum.
    pub(crate) fn load(&self, engine: &Engine, key: &str) -> Option<Component> {
        let path = self.path(key);
        let meta = std::fs::symlink_metadata(&path).ok()?;
        (meta.is_file() && meta.nlink() == 1 && is_private(&meta, 0o600)).then_some(())?;
        let file = std::fs::read(&path).ok()?;
        let (found, compiled) = file.split_at_checked(CHECKSUM)?;
        (found == checksum(key, compiled)).then(|| deserialize(engine, compiled))?
    }

    /// Stores `component`. A failure only costs time at the next start, so it is ignored.
    pub(crate) fn store(&self, key: &str, component: &Component) {
        // Readers must find the whole file, so it is written under another name and renamed.
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
                file.write_all(&checksum(key, &bytes))?;
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

#[expect(unsafe_code, reason = "a cache of compiled code runs code from a file")]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: this program wrote the bytes. `Cache::open` checked that the folder is ours and 0700, and `Cache::load` checked
    // just before that the file is ours, 0600 and has no other link, and that its checksum holds, so the disk has not changed
    // it. wasmtime itself refuses code of another engine.
    unsafe { Component::deserialize(engine.wasm(), compiled) }.ok()
}

/// The checksum of an entry. It covers the key, so that a damaged file and a file under another entry's name are found
/// before they run.
fn checksum(key: &str, compiled: &[u8]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(key.as_bytes());
    context.update(compiled);
    context.finish().as_ref().to_vec()
}
