//! `wasi:cli`: an empty environment and no terminal.

use wasmtime::Result;
use wasmtime::component::{LinkerInstance, Resource};

use super::Store;
use crate::guest::Guest;

pub(super) struct Terminal;

/// Defines a function of `wasi:cli/environment`; returns whether it did.
pub(super) fn environment(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "get-environment" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| {
                Ok((Vec::<(String, String)>::new(),))
            })?;
        }
        "get-arguments" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((Vec::<String>::new(),)))?;
        }
        "initial-cwd" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((None::<String>,)))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Defines the function of a `wasi:cli/terminal-*` interface.
pub(super) fn no_terminal(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    linker.func_wrap(name, |_: Store<'_>, (): ()| {
        Ok((None::<Resource<Terminal>>,))
    })?;
    Ok(true)
}
