//! Reads a policy's module and prepares it: check, configure, compile, cache.

use std::io::Read;
use std::path::Path;

use gateway_core::one_line;

use crate::cache::Cache;
use crate::component::{check_imports, compile, imports};
use crate::digest::sha256;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::prepared::Prepared;
use crate::snapshot;
use crate::wasi::Wasi;

/// The largest module that is read, in bytes: twice the size of Python policies.
const SIZE_MAX: u64 = 64 << 20;
/// The first bytes of a core module, which is not a component.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The bytes of a module and their digest.
#[derive(Debug)]
pub(crate) struct Module {
    bytes: Vec<u8>,
    digest: String,
}

impl Module {
    /// Reads the module at `path`. Its digest must be the `pinned` one, if there is one.
    pub(crate) fn read(path: &Path, pinned: Option<&str>) -> Result<Self, Fault> {
        let bytes = read(path)?;
        let found = sha256(&bytes);
        match pinned {
            Some(pinned) if !pinned.eq_ignore_ascii_case(&found) => Err(Fault::Digest {
                pinned: one_line(pinned, 64),
                found,
            }),
            _ => Ok(Self {
                bytes,
                digest: found,
            }),
        }
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Compiles and links the component without settings; also returns the names of its imports.
    pub(crate) fn link(
        &self,
        engine: &Engine,
        wasi: Wasi,
    ) -> Result<(Prepared, Vec<String>), Fault> {
        // Checked here, because the compiler's error does not say what to do.
        if self.bytes.starts_with(CORE_MODULE) {
            return Err(Fault::Invalid(
                "it is a core module; turn it into a component (`policy build`)".to_owned(),
            ));
        }
        let component = compile(engine, &self.bytes)?;
        check_imports(engine, &component, wasi)?;
        let prepared = Prepared::link(engine, &component, wasi)?;
        Ok((prepared, imports(engine, &component)))
    }

    /// Loads the configured policy from the cache, or configures, compiles and caches it.
    pub(crate) fn prepare(
        &self,
        engine: &Engine,
        settings: &str,
        limits: Limits,
        wasi: Wasi,
        cache: Option<&Cache>,
    ) -> Result<Prepared, Fault> {
        let key = Cache::key(engine, &self.digest, wasi, settings);
        if let Some(component) = cache.and_then(|cache| cache.load(engine, &key)) {
            return Prepared::link(engine, &component, wasi);
        }
        let kind = self.link(engine, wasi)?.0.kind();
        let configured = snapshot::configured(engine, &self.bytes, kind, settings, limits, wasi)?;
        let component = compile(engine, &configured)?;
        if let Some(cache) = cache {
            cache.store(&key, &component);
        }
        Prepared::link(engine, &component, wasi)
    }
}

/// Reads the file at `path`, up to [`SIZE_MAX`].
fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let missing = |error: std::io::Error| Fault::Missing(format!("`{}`: {error}", path.display()));
    let too_large = || Fault::Invalid(format!("it is larger than {} MiB", SIZE_MAX >> 20));
    let file = std::fs::File::open(path).map_err(missing)?;
    if file.metadata().map_err(missing)?.len() > SIZE_MAX {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(SIZE_MAX.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(missing)?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(too_large());
    }
    Ok(bytes)
}
