//! A policy's module: read, checked, configured, compiled.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::one_line;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::cache::Cache;
use crate::contract::authorizer::{Authorizer, AuthorizerPre};
use crate::contract::redactor::{Redactor, RedactorPre};
use crate::contract::{PACKAGE, VERSION};
use crate::fault::told;
use crate::limits::Guest;
use crate::wasi::{self, Wasi};
use crate::{Engine, Fault, Limits, snapshot};

/// The largest module that is read, in bytes: twice what Python policies come to.
const SIZE_MAX: u64 = 64 << 20;
/// The most imports that an error names.
const IMPORTS_TOLD: usize = 32;

/// The bytes of a module, and what is known of them before any of it runs.
#[derive(Debug)]
pub(crate) struct Module {
    bytes: Vec<u8>,
    digest: String,
}

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It decides.
    Authorizer,
    /// It plans what stays hidden.
    Redactor,
}

/// A configured policy of which instances can be made.
pub(crate) enum Ready {
    Authorizer(AuthorizerPre<Guest>),
    Redactor(RedactorPre<Guest>),
}

impl Module {
    /// The module at `path`, if it has the digest that is `pinned`.
    pub(crate) fn read(path: &Path, pinned: Option<&str>) -> Result<Self, Fault> {
        let missing =
            |error: std::io::Error| Fault::Missing(format!("`{}`: {error}", path.display()));
        let file = std::fs::File::open(path).map_err(missing)?;
        let too_large = || Fault::Invalid(format!("it is larger than {} MiB", SIZE_MAX >> 20));
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

    /// The component as it is, before any settings, and what it imports.
    pub(crate) fn plain(&self, engine: &Engine, wasi: Wasi) -> Result<(Ready, Vec<String>), Fault> {
        // Told apart here, since the compiler only says that it expected something else.
        if self.bytes.get(..8) == Some(b"\0asm\x01\0\0\0") {
            return Err(Fault::Invalid(
                "it is a core module; make a component of it (`policy build`)".to_owned(),
            ));
        }
        let component = compile(engine, &self.bytes)?;
        check_imports(engine, &component, wasi)?;
        let ty = component.component_type();
        let imports = ty
            .imports(engine.wasm())
            .map(|(name, _)| one_line(name, 128))
            .collect();
        Ok((Ready::of(engine, &component, wasi)?, imports))
    }

    /// Compiled from the cache, or checked, configured, compiled and cached.
    pub(crate) fn prepare(
        &self,
        engine: &Engine,
        settings: &str,
        limits: Limits,
        wasi: Wasi,
        cache: Option<&Cache>,
    ) -> Result<Ready, Fault> {
        let key = Cache::key(engine, &self.digest, wasi, settings);
        if let Some(component) = cache.and_then(|cache| cache.load(engine, &key)) {
            return Ready::of(engine, &component, wasi);
        }
        let kind = self.plain(engine, wasi)?.0.kind();
        let configured = snapshot::configured(engine, &self.bytes, kind, settings, limits, wasi)?;
        let component = compile(engine, &configured)?;
        if let Some(cache) = cache {
            cache.store(&key, &component);
        }
        Ready::of(engine, &component, wasi)
    }
}

impl Ready {
    /// What can be made of a component: an authorizer or a redactor, by what it exports.
    fn of(engine: &Engine, component: &Component, wasi: Wasi) -> Result<Self, Fault> {
        let interface = |name: &str| format!("{PACKAGE}{name}@{VERSION}");
        let exports = |name: &str| component.get_export_index(None, interface(name)).is_some();
        let world = |error: wasmtime::Error| Fault::World(told(error));
        match (exports("authorization"), exports("redaction")) {
            (true, false) => {
                let instance = linker(engine, component, wasi)?
                    .instantiate_pre(component)
                    .map_err(world)?;
                Ok(Self::Authorizer(
                    AuthorizerPre::new(instance).map_err(world)?,
                ))
            }
            (false, true) => {
                let instance = linker(engine, component, wasi)?
                    .instantiate_pre(component)
                    .map_err(world)?;
                Ok(Self::Redactor(RedactorPre::new(instance).map_err(world)?))
            }
            (true, true) => Err(Fault::World(
                "it exports both; make two policies of it".to_owned(),
            )),
            (false, false) => Err(Fault::World(exported(engine, component))),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Authorizer(_) => Kind::Authorizer,
            Self::Redactor(_) => Kind::Redactor,
        }
    }
}

pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, Fault> {
    Component::from_binary(engine.wasm(), bytes)
        .map_err(|error| Fault::Invalid(told(format!("{error:#}"))))
}

/// All that a policy gets from us: a place to log to, and a WASI with nothing behind it where that is granted.
pub(crate) fn linker(
    engine: &Engine,
    component: &Component,
    wasi: Wasi,
) -> Result<Linker<Guest>, Fault> {
    let mut linker = Linker::new(engine.wasm());
    let defect = |error: wasmtime::Error| Fault::Invalid(told(error));
    Authorizer::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest).map_err(defect)?;
    if wasi == Wasi::Empty {
        wasi::define(&mut linker, component).map_err(defect)?;
    }
    Ok(linker)
}

/// Refuses what the contract does not give, by name, before anything of it is linked.
fn check_imports(engine: &Engine, component: &Component, wasi: Wasi) -> Result<(), Fault> {
    let given = [
        format!("{PACKAGE}types@{VERSION}"),
        format!("{PACKAGE}logging@{VERSION}"),
    ];
    let ty = component.component_type();
    let is_given = |name: &str| given.iter().any(|given| given == name) || wasi.gives(name);
    let strange = ty
        .imports(engine.wasm())
        .filter(|(name, _)| !is_given(name));
    let mut strange: Vec<_> = strange.map(|(name, _)| one_line(name, 128)).collect();
    let more = strange.len().saturating_sub(IMPORTS_TOLD);
    strange.truncate(IMPORTS_TOLD);
    if more > 0 {
        strange.push(format!("{more} more"));
    }
    if strange.is_empty() {
        Ok(())
    } else {
        Err(Fault::Import(strange))
    }
}

fn exported(engine: &Engine, component: &Component) -> String {
    let ty = component.component_type();
    let names = ty.exports(engine.wasm()).map(|(name, item)| match item.ty {
        ComponentItem::ComponentInstance(_) => one_line(name, 128),
        _ => format!("{} (no interface)", one_line(name, 64)),
    });
    let names: Vec<_> = names.take(8).collect();
    if names.is_empty() {
        "it exports nothing".to_owned()
    } else {
        format!("it exports {}", names.join(", "))
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // writing to a string does not fail
            text
        })
}

// The redactor's world imports nothing that the authorizer's does not; this keeps it so.
const _: fn(&mut Linker<Guest>) -> wasmtime::Result<()> =
    |linker| Redactor::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest);
