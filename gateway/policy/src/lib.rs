//! Evaluates policies, which allow or deny requests and plan the redaction of checkpoints. At least one policy must allow a
//! request and none may deny it. A request on which no policy has an opinion is denied, and so is one on which a policy fails.
//!
//! Policies are WebAssembly components that implement the contract in `wit/`; no other crate depends on wasmtime. A policy
//! gets its arguments and nothing else. Each call runs in a fresh instance of a snapshot taken after `configure`, so no
//! state leaks from one request to the next, and `configure` runs once.
//!
//! One policy is built in: the [`AllowList`] of the configuration.

mod allow_list;
mod binding;
mod cache;
mod component;
mod context;
mod contract;
mod describe;
mod digest;
mod engine;
mod evaluation;
mod fault;
mod guest;
mod kind;
mod limits;
mod module;
mod plan;
mod policies;
mod policy;
mod prepared;
mod run;
mod snapshot;
mod spec;
mod wasi;

pub use allow_list::{AllowList, AllowRule};
pub use cache::Cache;
pub use describe::Description;
pub use engine::Engine;
pub use evaluation::{Evaluation, decide};
pub use fault::Fault;
pub use gateway_core::DETECTORS;
pub use kind::Kind;
pub use limits::Limits;
pub use plan::record;
pub use policies::{Planning, Policies};
pub use policy::{Answer, Policy};
pub use run::Usage;
pub use spec::{Mode, Spec};
pub use wasi::Wasi;
