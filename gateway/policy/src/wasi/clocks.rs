//! `wasi:clocks`: both clocks stand still, the wall clock at the time at which the request was received.

use wasmtime::Result;
use wasmtime::component::{ComponentType, LinkerInstance, Lower};

use super::Store;
use crate::guest::Guest;

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// Defines a function of `wasi:clocks/wall-clock`; returns whether it did.
pub(super) fn wall(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "now" => {
            linker.func_wrap(name, |store: Store<'_>, (): ()| {
                Ok((datetime(store.data().context.milliseconds()),))
            })?;
        }
        "resolution" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((datetime(1),)))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Defines a function of `wasi:clocks/monotonic-clock`; returns whether it did.
pub(super) fn monotonic(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "now" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((0_u64,)))?;
        }
        "resolution" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((1_u64,)))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn datetime(milliseconds: u64) -> Datetime {
    let nanoseconds = u32::try_from(milliseconds % 1000)
        .unwrap_or_default()
        .saturating_mul(1_000_000);
    Datetime {
        seconds: milliseconds / 1000,
        nanoseconds,
    }
}
