//! Conversions of numbers in the configuration.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// `seconds` as a duration.
pub(crate) fn seconds(seconds: NonZeroU32) -> Duration {
    Duration::from_secs(seconds.get().into())
}

pub(super) const fn at_least_one(value: usize) -> NonZeroUsize {
    match NonZeroUsize::new(value) {
        Some(value) => value,
        None => NonZeroUsize::MIN,
    }
}

pub(super) const fn at_least(value: u32) -> NonZeroU32 {
    match NonZeroU32::new(value) {
        Some(value) => value,
        None => NonZeroU32::MIN,
    }
}
