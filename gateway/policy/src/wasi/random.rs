//! `wasi:random`: numbers that follow from the request's id.

use wasmtime::Result;
use wasmtime::component::LinkerInstance;

use super::{Store, Unavailable};
use crate::guest::Guest;

/// The most random bytes of one call.
const BYTES_MAX: u64 = 64 << 10;

/// Defines a function of a `wasi:random` interface; returns whether it did.
pub(super) fn define(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "get-random-bytes" | "get-insecure-random-bytes" => {
            linker.func_wrap(name, |mut store: Store<'_>, (length,): (u64,)| {
                if length > BYTES_MAX {
                    let requested = format!("requested {length} random bytes at once");
                    return Err(Unavailable(requested).into());
                }
                Ok((store.data_mut().context.bytes(length),))
            })?;
        }
        "get-random-u64" | "get-insecure-random-u64" => {
            linker.func_wrap(name, |mut store: Store<'_>, (): ()| {
                Ok((store.data_mut().context.number(),))
            })?;
        }
        "insecure-seed" => {
            linker.func_wrap(name, |mut store: Store<'_>, (): ()| {
                let context = &mut store.data_mut().context;
                Ok(((context.number(), context.number()),))
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
