//! A compiled and linked policy, of which instances can be made.

use gateway_core::one_line;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::component::linker;
use crate::contract::authorizer::AuthorizerPre;
use crate::contract::redactor::RedactorPre;
use crate::contract::{PACKAGE, VERSION};
use crate::engine::Engine;
use crate::fault::{Fault, bounded};
use crate::guest::Guest;
use crate::kind::Kind;
use crate::wasi::Wasi;

/// The most exports that an error names.
const EXPORTS_MAX: usize = 8;

/// A policy of which instances can be made.
pub(crate) enum Prepared {
    Authorizer(AuthorizerPre<Guest>),
    Redactor(RedactorPre<Guest>),
}

impl Prepared {
    /// Links `component` as an authorizer or a redactor, according to its exports.
    pub(crate) fn link(engine: &Engine, component: &Component, wasi: Wasi) -> Result<Self, Fault> {
        let interface = |name: &str| format!("{PACKAGE}{name}@{VERSION}");
        let exports = |name: &str| component.get_export_index(None, interface(name)).is_some();
        let world = |error: wasmtime::Error| Fault::World(bounded(error));
        let instance = || {
            linker(engine, component, wasi)?
                .instantiate_pre(component)
                .map_err(world)
        };
        match (exports("authorization"), exports("redaction")) {
            (true, false) => {
                let pre = AuthorizerPre::new(instance()?).map_err(world)?;
                Ok(Self::Authorizer(pre))
            }
            (false, true) => {
                let pre = RedactorPre::new(instance()?).map_err(world)?;
                Ok(Self::Redactor(pre))
            }
            (true, true) => Err(Fault::World(
                "it exports both; split it into two policies".to_owned(),
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

/// The exports of a component, for an error.
fn exported(engine: &Engine, component: &Component) -> String {
    let ty = component.component_type();
    let names = ty.exports(engine.wasm()).map(|(name, item)| match item.ty {
        ComponentItem::ComponentInstance(_) => one_line(name, 128),
        _ => format!("{} (not an interface)", one_line(name, 64)),
    });
    let names: Vec<_> = names.take(EXPORTS_MAX).collect();
    if names.is_empty() {
        "it exports nothing".to_owned()
    } else {
        format!("it exports {}", names.join(", "))
    }
}
