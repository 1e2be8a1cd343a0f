//! Write a policy for checkpoint-gateway: its logic and nothing else.
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
//! A policy is handed all that it may know. It has no clock, no files, no network and no environment, so the same request
//! always gets the same answer. The exporting macros also make `cargo test` run the crate's `fixtures/*.json`.

extern crate self as checkpoint_gateway_policy;

pub mod bindings;
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

/// A policy that decides whether a request may go on. At least one policy must allow it, and none deny it.
pub trait Authorizer: Sized {
    /// JSON Schema of the settings.
    const SCHEMA: &'static str;
    /// What the policy is told when it is loaded. Give it `#[serde(deny_unknown_fields)]`: a misspelt setting must not
    /// be a setting that does not hold.
    type Settings: DeserializeOwned;

    /// Runs once, when the policy is loaded. An error keeps the policy from being loaded, and is shown to the operator.
    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Decides. Every call gets the policy as `configure` left it.
    fn authorize(&self, request: &Request) -> Verdict;
}

/// A policy that says what nobody must see in a checkpoint. The gateway carries it out.
pub trait Redactor: Sized {
    /// JSON Schema of the settings.
    const SCHEMA: &'static str;
    /// As in [`Authorizer::Settings`].
    type Settings: DeserializeOwned;

    /// As in [`Authorizer::configure`].
    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Plans. The plans of all redactors are joined. An error means: no checkpoint.
    fn redact(&self, request: &Request) -> Result<Plan, String>;
}

/// What nearly every policy uses.
pub mod prelude {
    pub use crate::{
        Action, Archive, Authorizer, Container, Decision, Denial, DropRule, Identity, MaskRule, Pattern,
        Places, Plan, Redactor, Request, Verdict, export_authorizer, export_redactor,
    };
    pub use serde::Deserialize;
}

/// For the macros only.
#[doc(hidden)]
pub mod __private {
    pub use crate::slot::{Slot, parse};
    pub use wit_bindgen;
}
