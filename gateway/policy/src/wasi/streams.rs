//! `wasi:io/streams` and the standard streams: input is closed, output goes to the policy's log.

use wasmtime::Result;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource};

use super::{Store, Unavailable};
use crate::contract::logging::{Host, Level};
use crate::guest::Guest;

/// The bytes that an output stream accepts at once: WASI's own bound for one write.
const WRITE_MAX: u64 = 4096;

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

pub(super) struct InputStream;
pub(super) struct OutputStream;
pub(super) struct StreamFailure;

#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[expect(dead_code, reason = "part of WASI's type; no operation fails here")]
    LastOperationFailed(Resource<StreamFailure>),
    #[component(name = "closed")]
    Closed,
}

/// Defines a function of `wasi:cli/stdin`, `stdout` or `stderr`; returns whether it did.
pub(super) fn standard(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "get-stdin" => {
            linker.func_wrap(name, |store: Store<'_>, (): ()| {
                open::<InputStream>(&store, STDIN)
            })?;
        }
        "get-stdout" => {
            linker.func_wrap(name, |store: Store<'_>, (): ()| {
                open::<OutputStream>(&store, STDOUT)
            })?;
        }
        "get-stderr" => {
            linker.func_wrap(name, |store: Store<'_>, (): ()| {
                open::<OutputStream>(&store, STDERR)
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Defines a function of `wasi:io/streams`; returns whether it did.
pub(super) fn define(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    type Input = (Resource<InputStream>, u64);
    type Output = (Resource<OutputStream>,);
    match name {
        "[method]input-stream.read" | "[method]input-stream.blocking-read" => {
            linker.func_wrap(name, |_: Store<'_>, _: Input| {
                Ok((Err::<Vec<u8>, _>(StreamError::Closed),))
            })?;
        }
        "[method]output-stream.check-write" => {
            linker.func_wrap(name, |_: Store<'_>, _: Output| {
                Ok((Ok::<_, StreamError>(WRITE_MAX),))
            })?;
        }
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => {
            linker.func_wrap(name, |_: Store<'_>, _: Output| {
                Ok((Ok::<(), StreamError>(()),))
            })?;
        }
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => {
            linker.func_wrap(
                name,
                |store: Store<'_>, (stream, bytes): (Resource<OutputStream>, Vec<u8>)| {
                    log(store, &stream, &bytes);
                    Ok((Ok::<(), StreamError>(()),))
                },
            )?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn open<T: 'static>(store: &Store<'_>, stream: u32) -> Result<(Resource<T>,)> {
    if store.data().context.is_configuring() {
        return Err(Unavailable("opened a standard stream in `configure`".to_owned()).into());
    }
    Ok((Resource::new_own(stream),))
}

/// Logs the output of a guest. It counts against the limit of the log.
fn log(mut store: Store<'_>, stream: &Resource<OutputStream>, bytes: &[u8]) {
    let level = if stream.rep() == STDERR {
        Level::Warn
    } else {
        Level::Info
    };
    let text = String::from_utf8_lossy(bytes).trim_end().to_owned();
    store.data_mut().log(level, text);
}
