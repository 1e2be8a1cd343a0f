//! WASI 0.2 without any resources, for components whose toolchain imports it. There is no environment, no file and no
//! input. Output goes to the policy's log. Clocks stand still at the request's time, and random numbers follow from the
//! request's id, so the same request still gets the same answer. Every other function traps: a guest that could sleep in a
//! host call would outlast its deadline.
//!
//! The functions are those of <https://github.com/WebAssembly/WASI>, `wasip2`, in any version `0.2.x`.

mod cli;
mod clocks;
mod random;
mod streams;

use serde::{Deserialize, Serialize};
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceType};
use wasmtime::{Engine, Result, StoreContextMut};

use crate::guest::Guest;

/// Whether a policy may import WASI.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wasi {
    /// Imports of WASI are refused.
    #[default]
    None,
    /// Imports of WASI are granted, without any resources behind them.
    Empty,
}

/// The guest used something of WASI that is not available. It ends the call.
#[derive(Debug, thiserror::Error)]
#[error("it {0}, which is not available")]
pub(crate) struct Unavailable(pub(super) String);

struct Descriptor;

type Store<'a> = StoreContextMut<'a, Guest>;

impl Wasi {
    /// Whether this grants an import of that name.
    pub(crate) fn grants(self, import: &str) -> bool {
        self == Self::Empty && import.starts_with("wasi:") && import.contains("@0.2.")
    }
}

/// Defines the WASI functions that `component` imports.
pub(crate) fn define(linker: &mut Linker<Guest>, component: &Component) -> Result<()> {
    let engine = linker.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        if let ComponentItem::ComponentInstance(items) = &import.ty
            && Wasi::Empty.grants(name)
        {
            define_interface(&engine, &mut linker.instance(name)?, name, items)?;
        }
    }
    Ok(())
}

fn define_interface(
    engine: &Engine,
    linker: &mut LinkerInstance<'_, Guest>,
    interface: &str,
    items: &ComponentInstance,
) -> Result<()> {
    let unversioned = interface.split('@').next().unwrap_or_default();
    for (name, item) in items.exports(engine) {
        match item.ty {
            ComponentItem::Resource(_) => linker.resource(name, resource(name), |_, _| Ok(()))?,
            ComponentItem::ComponentFunc(_) if !define_function(linker, unversioned, name)? => {
                let called = format!("called {unversioned}#{name}");
                linker.func_new(name, move |_, _, _, _| {
                    Err(Unavailable(called.clone()).into())
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The host's type of a resource. A resource that no defined function returns needs none of its own.
fn resource(name: &str) -> ResourceType {
    match name {
        "input-stream" => ResourceType::host::<streams::InputStream>(),
        "output-stream" => ResourceType::host::<streams::OutputStream>(),
        "error" => ResourceType::host::<streams::StreamFailure>(),
        "descriptor" => ResourceType::host::<Descriptor>(),
        "terminal-input" | "terminal-output" => ResourceType::host::<cli::Terminal>(),
        _ => ResourceType::host::<()>(),
    }
}

/// Defines the function if it has a harmless answer; returns whether it did.
fn define_function(
    linker: &mut LinkerInstance<'_, Guest>,
    interface: &str,
    name: &str,
) -> Result<bool> {
    match interface {
        "wasi:cli/environment" => cli::environment(linker, name),
        "wasi:cli/stdin" | "wasi:cli/stdout" | "wasi:cli/stderr" => streams::standard(linker, name),
        "wasi:cli/terminal-stdin" | "wasi:cli/terminal-stdout" | "wasi:cli/terminal-stderr" => {
            cli::no_terminal(linker, name)
        }
        "wasi:clocks/wall-clock" => clocks::wall(linker, name),
        "wasi:clocks/monotonic-clock" => clocks::monotonic(linker, name),
        "wasi:filesystem/preopens" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| {
                Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
            })?;
            Ok(true)
        }
        "wasi:random/random" | "wasi:random/insecure" | "wasi:random/insecure-seed" => {
            random::define(linker, name)
        }
        "wasi:io/streams" => streams::define(linker, name),
        _ => Ok(false),
    }
}
