//! The cache of compiled policies on the disk.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::Path;

use aws_lc_rs::digest;
use gateway_files::{PrivateFolder, make_private_folders};
use wasmtime::component::Component;

use crate::digest::sha256;
use crate::engine::Engine;
use crate::wasi::Wasi;

/// The length of the checksum before the compiled code, in bytes.
const CHECKSUM: usize = digest::SHA256_OUTPUT_LEN;
/// The largest file that is read, in bytes.
const SIZE_MAX: u64 = 1 << 30;

/// Compiled policies by engine, module and settings. They run as native code, so no other user may write here: the folder
/// must be ours and 0700, and its files must be ours and 0600.
#[derive(Debug)]
pub struct Cache(PrivateFolder);

impl Cache {
    /// Opens the cache in `folder`, and creates the folder and its missing parents if they do not exist.
    ///
    /// # Errors
    /// If it cannot be created, or another user could write to it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        make_private_folders(folder)?;
        Ok(Self(PrivateFolder::open(folder)?))
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
        let file = self.0.read_private(file_name(key), SIZE_MAX).ok()?;
        let (found, compiled) = file.split_at_checked(CHECKSUM)?;
        (found == checksum(key, compiled)).then(|| deserialize(engine, compiled))?
    }

    /// Stores `component`. A failure only costs time at the next start, so it is ignored.
    pub(crate) fn store(&self, key: &str, component: &Component) {
        if let Ok(compiled) = component.serialize() {
            let _ = self.write(key, &compiled);
        }
    }

    fn write(&self, key: &str, compiled: &[u8]) -> io::Result<()> {
        let mut file = self.0.new_file(file_name(key))?;
        file.write_all(&checksum(key, compiled))?;
        file.write_all(compiled)?;
        Ok(file.replace()?)
    }
}

fn file_name(key: &str) -> String {
    format!("{key}.cwasm")
}

#[expect(unsafe_code, reason = "a cache of compiled code runs code from a file")]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: this program wrote the bytes. The folder is ours and 0700, and the file is ours, without access for others and
    // without another link; `PrivateFolder` checked this on the open descriptors. The checksum holds, so the disk has not
    // changed the bytes. wasmtime itself refuses code of another engine.
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
