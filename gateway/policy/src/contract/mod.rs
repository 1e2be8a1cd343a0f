//! Bindings of the contract in `wit/v0.1.0`, and the conversions between its types and the core's.

mod answer;
mod request;

pub(crate) use answer::{plan, verdict};
pub(crate) use request::request;

/// Bindings of the `authorizer` world.
#[expect(
    clippy::all,
    clippy::restriction,
    reason = "generated from wit/, which documents the types"
)]
pub(crate) mod authorizer {
    wasmtime::component::bindgen!({ path: "../../wit/v0.1.0", world: "authorizer" });
}

/// Bindings of the `redactor` world.
#[expect(
    clippy::all,
    clippy::restriction,
    reason = "generated from wit/, which documents the types"
)]
pub(crate) mod redactor {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1.0",
        world: "redactor",
        with: {
            "checkpoint-gateway:policy/types": crate::contract::authorizer::checkpoint_gateway::policy::types,
            "checkpoint-gateway:policy/logging": crate::contract::authorizer::checkpoint_gateway::policy::logging,
        },
    });
}

pub(crate) use authorizer::checkpoint_gateway::policy::{logging, types};
pub(crate) use authorizer::exports::checkpoint_gateway::policy::authorization;
pub(crate) use redactor::exports::checkpoint_gateway::policy::redaction;

/// The prefix of every interface in the contract.
pub(crate) const PACKAGE: &str = "checkpoint-gateway:policy/";
/// The version of the contract that is implemented here.
pub(crate) const VERSION: &str = "0.1.0";
