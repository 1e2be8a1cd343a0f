//! Compiles components, checks their imports and links them.

use gateway_core::one_line;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::contract::authorizer::Authorizer;
use crate::contract::redactor::Redactor;
use crate::contract::{PACKAGE, VERSION};
use crate::engine::Engine;
use crate::fault::{Fault, bounded};
use crate::guest::Guest;
use crate::wasi::{self, Wasi};

/// The most imports that an error names.
const IMPORTS_MAX: usize = 32;
/// The longest name of an import or export that is passed on, in bytes.
const NAME_MAX: usize = 128;

/// Compiles the component in `bytes`.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, Fault> {
    Component::from_binary(engine.wasm(), bytes)
        .map_err(|error| Fault::Invalid(bounded(format!("{error:#}"))))
}

/// The functions that a policy may call: logging, and an empty WASI if that is granted.
pub(crate) fn linker(
    engine: &Engine,
    component: &Component,
    wasi: Wasi,
) -> Result<Linker<Guest>, Fault> {
    let mut linker = Linker::new(engine.wasm());
    let invalid = |error: wasmtime::Error| Fault::Invalid(bounded(error));
    Authorizer::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest).map_err(invalid)?;
    if wasi == Wasi::Empty {
        wasi::define(&mut linker, component).map_err(invalid)?;
    }
    Ok(linker)
}

/// Refuses imports that the contract does not offer, by name, before anything is linked.
pub(crate) fn check_imports(
    engine: &Engine,
    component: &Component,
    wasi: Wasi,
) -> Result<(), Fault> {
    let offered = [
        format!("{PACKAGE}types@{VERSION}"),
        format!("{PACKAGE}logging@{VERSION}"),
    ];
    let ty = component.component_type();
    let is_offered = |name: &str| offered.iter().any(|own| own == name) || wasi.grants(name);
    let foreign = ty
        .imports(engine.wasm())
        .filter(|(name, _)| !is_offered(name));
    let mut foreign: Vec<_> = foreign.map(|(name, _)| one_line(name, NAME_MAX)).collect();
    let more = foreign.len().saturating_sub(IMPORTS_MAX);
    foreign.truncate(IMPORTS_MAX);
    if more > 0 {
        foreign.push(format!("{more} more"));
    }
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(Fault::Import(foreign))
    }
}

/// The names of all imports.
pub(crate) fn imports(engine: &Engine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    ty.imports(engine.wasm())
        .map(|(name, _)| one_line(name, NAME_MAX))
        .collect()
}

// The linker is the authorizer's. This holds only as long as the redactor's world has no other imports.
const _: fn(&mut Linker<Guest>) -> wasmtime::Result<()> =
    |linker| Redactor::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest);
