//! Keeps the configured policy between calls.

use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;

/// The configured policy. It is empty before `configure`.
pub struct Slot<T>(Mutex<Option<T>>);

impl<T> Slot<T> {
    /// A slot without a policy.
    pub const fn empty() -> Self {
        Self(Mutex::new(None))
    }

    /// Sets the policy, and drops an earlier one.
    pub fn set(&self, policy: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(policy);
    }

    /// Calls the policy; `None` if it is not configured.
    pub fn call<R>(&self, call: impl FnOnce(&T) -> R) -> Option<R> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(call)
    }
}

/// Parses settings from JSON. Empty text is an empty object.
pub fn parse<S: DeserializeOwned>(settings: &str) -> Result<S, String> {
    let text = if settings.trim().is_empty() {
        "{}"
    } else {
        settings
    };
    serde_json::from_str(text).map_err(|error| error.to_string())
}
