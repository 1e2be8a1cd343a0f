//! Describes a component without configuring it, for `policy inspect`.

use std::path::Path;

use wasmtime::Store;

use crate::context::CallContext;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::guest::Guest;
use crate::kind::Kind;
use crate::limits::Limits;
use crate::module::Module;
use crate::prepared::Prepared;
use crate::run;
use crate::wasi::Wasi;

/// A component's properties, as they are before it gets any settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Whether it is an authorizer or a redactor.
    pub kind: Kind,
    /// SHA-256 of the module, as hex digits.
    pub digest: String,
    /// The size of the module, in bytes.
    pub bytes: usize,
    /// Its imports, from the contract and from WASI.
    pub imports: Vec<String>,
    /// The JSON Schema of its settings.
    pub schema: serde_json::Value,
}

impl Description {
    /// Describes the component at `path`.
    ///
    /// # Errors
    /// If the gateway would not load it.
    pub fn of(engine: &Engine, path: &Path) -> Result<Self, Fault> {
        let module = Module::read(path, None)?;
        let (prepared, imports) = module.link(engine, Wasi::Empty)?;
        let limits = Limits {
            deadline_milliseconds: 5000,
            memory_bytes: engine.memory_max(),
            ..Limits::default()
        };
        let schema = schema(engine, &prepared, limits)?;
        Ok(Self {
            kind: prepared.kind(),
            digest: module.digest().to_owned(),
            bytes: module.size(),
            imports,
            schema,
        })
    }
}

/// The JSON Schema of the settings, from a fresh instance.
pub(crate) fn schema(
    engine: &Engine,
    prepared: &Prepared,
    limits: Limits,
) -> Result<serde_json::Value, Fault> {
    let call = |store: &mut Store<Guest>| match prepared {
        Prepared::Authorizer(pre) => pre
            .instantiate(&mut *store)?
            .checkpoint_gateway_policy_settings()
            .call_schema(store),
        Prepared::Redactor(pre) => pre
            .instantiate(&mut *store)?
            .checkpoint_gateway_policy_settings()
            .call_schema(store),
    };
    let not_json =
        |error: serde_json::Error| Fault::Answer(format!("the schema is not JSON: {error}"));
    let context = CallContext::without_request();
    run::call(engine, limits, context, call, |text, _| {
        serde_json::from_str(&text).map_err(not_json)
    })
    .0
}
