//! Policies: may this request go on, and what must stay hidden? At least one must allow it and none deny; silence is a
//! denial, and so is every way in which a policy can fail.
//!
//! Policies are WebAssembly components that implement the contract in `wit/`, and this is the only room that knows
//! wasmtime. A policy gets its arguments and nothing else. Each call runs in a fresh instance of a snapshot that was taken
//! after `configure`: nothing leaks from one request to the next, and no request pays for set-up.
//!
//! One policy is built in: the [`AllowList`] of the configuration.

mod allow_list;
mod cache;
mod contract;
mod describe;
mod engine;
mod fault;
mod judgement;
mod limits;
mod module;
mod plan;
mod policy;
mod run;
mod set;
mod snapshot;
mod wasi;

pub use allow_list::{AllowList, AllowRule};
pub use cache::Cache;
pub use describe::Description;
pub use engine::Engine;
pub use fault::Fault;
pub use gateway_core::DETECTORS;
pub use judgement::Judgement;
pub use limits::Limits;
pub use module::Kind;
pub use plan::record;
pub use policy::{Answer, Mode, Policy, Spec};
pub use run::Usage;
pub use set::{Planning, Policies, decide};
pub use wasi::Wasi;
