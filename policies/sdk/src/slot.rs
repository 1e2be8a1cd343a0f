//! Where a configured policy lives between the calls.

use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;

/// Empty until the policy is configured.
pub struct Slot<T>(Mutex<Option<T>>);

impl<T> Slot<T> {
    /// A place for a policy.
    pub const fn empty() -> Self {
        Self(Mutex::new(None))
    }

    /// Puts a policy in place of the one before.
    pub fn fill(&self, policy: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(policy);
    }

    /// Asks the policy; `None` where nobody has configured it.
    pub fn ask<R>(&self, question: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(question)
    }
}

/// Settings out of JSON text; no text at all is an empty object.
pub fn parse<S: DeserializeOwned>(settings: &str) -> Result<S, String> {
    let text = if settings.trim().is_empty() { "{}" } else { settings };
    serde_json::from_str(text).map_err(|error| error.to_string())
}
