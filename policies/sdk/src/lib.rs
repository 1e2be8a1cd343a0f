//! Writes policies for checkpoint-gateway: a policy contains its own logic and no code for the contract.
//!
//! ```ignore
//! use checkpoint_gateway_policy::prelude::*;
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields, rename_all = "kebab-case")]
//! pub struct Settings {
//!     group: String,
//! }
//!
//! pub struct OneGroup(Settings);
//!
//! impl Authorizer for OneGroup {
//!     const SCHEMA: &'static str = include_str!("../schema.json");
//!     type Settings = Settings;
//!
//!     fn configure(settings: Settings) -> Result<Self, String> {
//!         if settings.group.is_empty() { Err("`group` is empty".into()) } else { Ok(Self(settings)) }
//!     }
//!
//!     fn authorize(&self, request: &Request) -> Verdict {
//!         if request.identity.is_in(&self.0.group) {
//!             Verdict::allow()
//!         } else {
//!             Verdict::deny("not-in-group", format!("only members of `{}` may do this", self.0.group))
//!         }
//!     }
//! }
//!
//! export_authorizer!(OneGroup);
//! ```
//!
//! A policy gets everything that it may know as arguments. It has no clock, no files, no network and no environment, so the
//! same request always gets the same answer. The export macros also make `cargo test` run the crate's `fixtures/*.json`.

extern crate self as checkpoint_gateway_policy;

pub mod bindings;
pub mod bounds;
mod export;
#[cfg(not(target_family = "wasm"))]
pub mod fixtures;
pub mod glob;
pub mod log;
mod plan;
mod request;
mod slot;
mod verdict;

use serde::de::DeserializeOwned;

pub use bindings::authorization::exports::checkpoint_gateway::policy::authorization::{
    Decision, Denial, Verdict,
};
pub use bindings::redaction::exports::checkpoint_gateway::policy::redaction::{
    DropRule, MaskRule, Pattern, Places, Plan,
};
pub use bindings::settings::checkpoint_gateway::policy::types::{
    Action, Archive, Container, Credential, Identity, Request,
};

/// A policy that allows or denies requests. At least one policy must allow a request and none may deny it.
pub trait Authorizer: Sized {
    /// JSON Schema of the settings.
    const SCHEMA: &'static str;
    /// The settings. Use `#[serde(deny_unknown_fields)]`, so that a misspelt setting is refused and not ignored.
    type Settings: DeserializeOwned;

    /// Runs once, when the policy is loaded. If it fails, the policy is not loaded and the operator sees the error.
    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Decides about a request. Every call gets the policy in the state after `configure`.
    fn authorize(&self, request: &Request) -> Verdict;
}

/// A policy that plans the redaction of checkpoints. The gateway carries out the plan.
pub trait Redactor: Sized {
    /// JSON Schema of the settings.
    const SCHEMA: &'static str;
    /// As in [`Authorizer::Settings`].
    type Settings: DeserializeOwned;

    /// As in [`Authorizer::configure`].
    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Plans the redaction of a checkpoint. The gateway joins the plans of all redactors. If one fails, no checkpoint is
    /// created.
    fn redact(&self, request: &Request) -> Result<Plan, String>;
}

/// The imports of nearly every policy.
pub mod prelude {
    pub use crate::{
        Action, Archive, Authorizer, Container, Decision, Denial, DropRule, Identity, MaskRule,
        Pattern, Places, Plan, Redactor, Request, Verdict, export_authorizer, export_redactor,
    };
    pub use serde::Deserialize;
}

/// For the macros only.
#[doc(hidden)]
pub mod __private {
    pub use crate::slot::{Slot, parse};
    pub use wit_bindgen;
}
