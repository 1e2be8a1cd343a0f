//! The settings of the handler, from the configuration.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::config::{Config, seconds};
use crate::request_body::BodyLimits;

/// The settings of the handler.
pub(super) struct HandlerSettings {
    /// Whether checkpoints may be taken at all.
    pub(super) checkpoints: bool,
    pub(super) body: BodyLimits,
    /// The longest time that a caller may take for one chunk of a download.
    pub(super) idle: Duration,
    /// The character that overwrites secrets.
    pub(super) mask: u8,
    default_wait: NonZeroU32,
    max_wait: NonZeroU32,
}

impl HandlerSettings {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            checkpoints: config.checkpoints.enabled,
            body: BodyLimits {
                bytes: config.limits.body_bytes as usize,
                time: seconds(config.limits.header_seconds),
            },
            idle: seconds(config.limits.idle_seconds),
            mask: config.redaction.mask,
            default_wait: config.checkpoints.default_wait_seconds,
            max_wait: config.checkpoints.max_wait_seconds,
        }
    }

    /// How long a caller who asks for `timeout_seconds` waits for a checkpoint, in seconds.
    pub(super) fn patience(&self, timeout_seconds: Option<u32>) -> NonZeroU32 {
        let asked = timeout_seconds.and_then(NonZeroU32::new);
        asked.unwrap_or(self.default_wait).min(self.max_wait)
    }
}
