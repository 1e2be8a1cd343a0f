use std::path::Path;

use wasmtime::Store;

use crate::limits::Guest;
use crate::module::{Module, Ready};
use crate::wasi::{Moment, Wasi};
use crate::{Engine, Fault, Kind, Limits, run};

/// What a component says of itself, before it is given any settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// What it is for.
    pub kind: Kind,
    /// SHA-256, as hex digits.
    pub digest: String,
    /// Its size in bytes.
    pub bytes: usize,
    /// What it imports: of the contract, and of WASI.
    pub imports: Vec<String>,
    /// The JSON Schema of its settings.
    pub schema: serde_json::Value,
}

impl Description {
    /// Describes the component at `path`.
    ///
    /// # Errors
    /// Where it is none that the gateway would load.
    pub fn of(engine: &Engine, path: &Path) -> Result<Self, Fault> {
        let module = Module::read(path, None)?;
        let (ready, imports) = module.plain(engine, Wasi::Empty)?;
        let limits = Limits {
            deadline_milliseconds: 5000,
            memory_bytes: engine.memory_max(),
            ..Limits::default()
        };
        let schema = schema(engine, &ready, limits)?;
        Ok(Self {
            kind: ready.kind(),
            digest: module.digest().to_owned(),
            bytes: module.size(),
            imports,
            schema,
        })
    }
}

/// The JSON Schema of the settings, as a fresh instance tells it.
pub(crate) fn schema(
    engine: &Engine,
    ready: &Ready,
    limits: Limits,
) -> Result<serde_json::Value, Fault> {
    let ask = |store: &mut Store<Guest>| match ready {
        Ready::Authorizer(pre) => pre
            .instantiate(&mut *store)?
            .checkpoint_gateway_policy_settings()
            .call_schema(store),
        Ready::Redactor(pre) => pre
            .instantiate(&mut *store)?
            .checkpoint_gateway_policy_settings()
            .call_schema(store),
    };
    let no_json =
        |error: serde_json::Error| Fault::Answer(format!("the schema is no JSON: {error}"));
    run::call(engine, limits, Moment::before_all(), ask, |text, _| {
        serde_json::from_str(&text).map_err(no_json)
    })
    .0
}
