//! WASI 0.2 with nothing behind it, for components whose tool chain brings its imports along. There is no environment, no
//! file and no input; output goes to the policy's log; clocks stand still at the request's time; random numbers follow from
//! the request's id, so that the same request still gets the same answer. Whatever else is called traps: a guest that could
//! sleep in a call of the host's would outlast its deadline.
//!
//! The functions are those of <https://github.com/WebAssembly/WASI>, `wasip2`, in any version `0.2.x`.

use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::Request;
use serde::{Deserialize, Serialize};
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{
    Component, ComponentType, Linker, LinkerInstance, Lower, Resource, ResourceType,
};
use wasmtime::{Engine, Result, StoreContextMut};

use crate::contract::logging::{Host, Level};
use crate::limits::Guest;

/// The most random bytes of one call.
const RANDOM_MAX: u64 = 64 << 10;
/// What an output stream takes at once, in bytes: WASI's own bound for one write.
const WRITE_MAX: u64 = 4096;

/// Whether a policy may import WASI.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wasi {
    /// No.
    #[default]
    None,
    /// Yes, and there is nothing behind it.
    Empty,
}

impl Wasi {
    /// Whether an import of this name is given.
    pub(crate) fn gives(self, import: &str) -> bool {
        self == Self::Empty && import.starts_with("wasi:") && import.contains("@0.2.")
    }
}

/// What a call takes for the time and for chance: both are the request's.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    milliseconds: u64,
    seed: String,
    drawn: u64,
    /// Whether a snapshot is taken afterwards. What is opened now would not be there when instances go on from it.
    configuring: bool,
}

impl Moment {
    /// Before there is any request.
    pub(crate) fn before_all() -> Self {
        Self {
            milliseconds: 0,
            seed: String::new(),
            drawn: 0,
            configuring: false,
        }
    }

    /// While a policy is configured.
    pub(crate) fn of_configuration() -> Self {
        Self {
            configuring: true,
            ..Self::before_all()
        }
    }

    pub(crate) fn of(request: &Request) -> Self {
        let milliseconds = u64::try_from(request.received_at.as_millisecond()).unwrap_or_default();
        Self {
            milliseconds,
            seed: request.id.to_string(),
            ..Self::before_all()
        }
    }

    /// The next 32 bytes: SHA-256 over the seed and a count.
    fn draw(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.saturating_add(1);
        let block = digest(&SHA256, format!("{} {}", self.seed, self.drawn).as_bytes());
        block.as_ref().try_into().unwrap_or_default()
    }

    fn number(&mut self) -> u64 {
        self.draw()
            .first_chunk()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .unwrap_or_default()
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        let length = usize::try_from(length).unwrap_or_default();
        let mut bytes = Vec::with_capacity(length.saturating_add(32));
        while bytes.len() < length {
            bytes.extend_from_slice(&self.draw());
        }
        bytes.truncate(length);
        bytes
    }
}

/// A guest called something that has nothing behind it. It ends the call.
#[derive(Debug, thiserror::Error)]
#[error("it asked {0}, which is not to be had here")]
pub(crate) struct Withheld(String);

struct InputStream;
struct OutputStream;
struct StreamFailure;
struct Descriptor;
struct Terminal;

const STDOUT: u32 = 1;
const STDERR: u32 = 2;

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[expect(dead_code, reason = "the type is WASI's; nothing ever fails here")]
    LastOperationFailed(Resource<StreamFailure>),
    #[component(name = "closed")]
    Closed,
}

/// Defines what `component` imports of WASI.
pub(crate) fn define(linker: &mut Linker<Guest>, component: &Component) -> Result<()> {
    let engine = linker.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        if let ComponentItem::ComponentInstance(items) = &import.ty
            && Wasi::Empty.gives(name)
        {
            interface(&engine, &mut linker.instance(name)?, name, items)?;
        }
    }
    Ok(())
}

fn interface(
    engine: &Engine,
    linker: &mut LinkerInstance<'_, Guest>,
    interface: &str,
    items: &ComponentInstance,
) -> Result<()> {
    let unversioned = interface.split('@').next().unwrap_or_default();
    for (name, item) in items.exports(engine) {
        match item.ty {
            ComponentItem::Resource(_) => linker.resource(name, resource(name), |_, _| Ok(()))?,
            ComponentItem::ComponentFunc(_) if !given(linker, unversioned, name)? => {
                let called = format!("for {unversioned}#{name}");
                linker.func_new(name, move |_, _, _, _| Err(Withheld(called.clone()).into()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The host's type for a resource; those that no given function hands out need none of their own.
fn resource(name: &str) -> ResourceType {
    match name {
        "input-stream" => ResourceType::host::<InputStream>(),
        "output-stream" => ResourceType::host::<OutputStream>(),
        "error" => ResourceType::host::<StreamFailure>(),
        "descriptor" => ResourceType::host::<Descriptor>(),
        "terminal-input" | "terminal-output" => ResourceType::host::<Terminal>(),
        _ => ResourceType::host::<()>(),
    }
}

type Store<'a> = StoreContextMut<'a, Guest>;

/// Defines the function, if it is one that has a harmless answer.
fn given(linker: &mut LinkerInstance<'_, Guest>, interface: &str, name: &str) -> Result<bool> {
    match interface {
        "wasi:cli/environment" => environment(linker, name),
        "wasi:cli/stdin" | "wasi:cli/stdout" | "wasi:cli/stderr" => standard(linker, name),
        "wasi:cli/terminal-stdin" | "wasi:cli/terminal-stdout" | "wasi:cli/terminal-stderr" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| {
                Ok((None::<Resource<Terminal>>,))
            })?;
            Ok(true)
        }
        "wasi:clocks/wall-clock" | "wasi:clocks/monotonic-clock" => clock(linker, interface, name),
        "wasi:filesystem/preopens" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| {
                Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
            })?;
            Ok(true)
        }
        "wasi:random/random" | "wasi:random/insecure" | "wasi:random/insecure-seed" => {
            chance(linker, name)
        }
        "wasi:io/streams" => stream(linker, name),
        _ => Ok(false),
    }
}

fn environment(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "get-environment" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| {
                Ok((Vec::<(String, String)>::new(),))
            })?;
        }
        "get-arguments" => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((Vec::<String>::new(),)))?
        }
        "initial-cwd" => linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((None::<String>,)))?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn standard(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "get-stdin" => linker.func_wrap(name, |store: Store<'_>, (): ()| {
            opened::<InputStream>(&store, 0)
        })?,
        "get-stdout" => {
            linker.func_wrap(name, |store: Store<'_>, (): ()| {
                opened::<OutputStream>(&store, STDOUT)
            })?;
        }
        "get-stderr" => {
            linker.func_wrap(name, |store: Store<'_>, (): ()| {
                opened::<OutputStream>(&store, STDERR)
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn opened<T: 'static>(store: &Store<'_>, stream: u32) -> Result<(Resource<T>,)> {
    if store.data().moment.configuring {
        return Err(Withheld("for a standard stream in `configure`".to_owned()).into());
    }
    Ok((Resource::new_own(stream),))
}

fn clock(linker: &mut LinkerInstance<'_, Guest>, interface: &str, name: &str) -> Result<bool> {
    match (interface, name) {
        ("wasi:clocks/wall-clock", "now") => linker
            .func_wrap(name, |store: Store<'_>, (): ()| {
                Ok((datetime(store.data().moment.milliseconds),))
            })?,
        ("wasi:clocks/wall-clock", "resolution") => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((datetime(1),)))?;
        }
        ("wasi:clocks/monotonic-clock", "now") => {
            linker.func_wrap(name, |_: Store<'_>, (): ()| Ok((0_u64,)))?;
        }
        ("wasi:clocks/monotonic-clock", "resolution") => {
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

fn chance(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "get-random-bytes" | "get-insecure-random-bytes" => {
            linker.func_wrap(name, |mut store: Store<'_>, (length,): (u64,)| {
                if length > RANDOM_MAX {
                    return Err(Withheld(format!("for {length} random bytes at once")).into());
                }
                Ok((store.data_mut().moment.bytes(length),))
            })?;
        }
        "get-random-u64" | "get-insecure-random-u64" => {
            linker.func_wrap(name, |mut store: Store<'_>, (): ()| {
                Ok((store.data_mut().moment.number(),))
            })?;
        }
        "insecure-seed" => linker.func_wrap(name, |mut store: Store<'_>, (): ()| {
            let moment = &mut store.data_mut().moment;
            Ok(((moment.number(), moment.number()),))
        })?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn stream(linker: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
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
                    note(store, &stream, &bytes);
                    Ok((Ok::<(), StreamError>(()),))
                },
            )?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// What a guest writes is what it logs, and counts as that.
fn note(mut store: Store<'_>, stream: &Resource<OutputStream>, bytes: &[u8]) {
    let level = if stream.rep() == STDERR {
        Level::Warn
    } else {
        Level::Info
    };
    store
        .data_mut()
        .log(level, String::from_utf8_lossy(bytes).trim_end().to_owned());
}
