//! What is kept of checkpoints, how much and for how long, and how what is to be hidden is hidden.

use std::num::NonZeroUsize;
use std::time::Duration;

use gateway_archive::{KeepOriginal, Limits, Recipients, WhenFull};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::numbers::at_least_one;

/// `[quota]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Quota {
    /// For each container.
    pub container: QuotaLimits,
    /// For each pod.
    pub pod: QuotaLimits,
    /// For each namespace.
    pub namespace: QuotaLimits,
    /// For all together.
    pub total: QuotaLimits,
    /// How old a checkpoint may become, in hours; 0 means any age.
    pub max_age_hours: u32,
    /// What happens where a limit would be broken.
    pub when_full: WhenFull,
}

/// The limits of one scope of a quota; 0 means no limit.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct QuotaLimits {
    /// Archives and originals together, in bytes.
    pub bytes: u64,
    /// Checkpoints.
    pub count: u64,
}

/// `[originals]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Originals {
    /// Whether the archive as the runtime wrote it is kept beside the redacted one.
    pub keep: Keep,
    /// Who can open what is sealed: age's X25519 recipients.
    pub recipients: Vec<String>,
}

/// What becomes of an archive as the runtime wrote it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// It never is a file.
    #[default]
    No,
    /// It is encrypted in the same pass.
    Sealed,
    /// It is kept as it is, with every secret in it.
    Plaintext,
}

/// `[redaction]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Redaction {
    /// What overwrites what is hidden: one visible ASCII character.
    #[serde(deserialize_with = "mask")]
    pub mask: u8,
    /// Values of environment variables that are shorter, in bytes, are hidden in environments only, not wherever they occur.
    pub min_value_length: NonZeroUsize,
}

impl Quota {
    /// What the store is told.
    pub(crate) fn quota(&self) -> gateway_archive::Quota {
        let hour = Duration::from_hours(1);
        gateway_archive::Quota {
            container: self.container.limits(),
            pod: self.pod.limits(),
            namespace: self.namespace.limits(),
            total: self.total.limits(),
            max_age: (self.max_age_hours > 0).then(|| hour.saturating_mul(self.max_age_hours)),
            when_full: self.when_full,
        }
    }
}

impl QuotaLimits {
    fn limits(self) -> Limits {
        let limit = |number: u64| Some(number).filter(|number| *number > 0);
        Limits {
            bytes: limit(self.bytes),
            count: limit(self.count),
        }
    }
}

impl Originals {
    /// What the store is told.
    ///
    /// # Errors
    /// Where originals are to be sealed and a recipient is none, or there is none.
    pub(crate) fn keep(&self) -> Result<KeepOriginal, gateway_archive::Error> {
        Ok(match self.keep {
            Keep::No => KeepOriginal::No,
            Keep::Sealed => KeepOriginal::Sealed(Recipients::parse(&self.recipients)?),
            Keep::Plaintext => KeepOriginal::Plaintext,
        })
    }
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            mask: b'*',
            min_value_length: at_least_one(6),
        }
    }
}

fn mask<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match String::deserialize(deserializer)?.as_bytes() {
        // These two would break the JSON in an archive.
        [byte] if byte.is_ascii_graphic() && !b"\"\\".contains(byte) => Ok(*byte),
        _ => Err(D::Error::custom(
            "must be one visible ASCII character, and neither a quote nor a backslash",
        )),
    }
}
