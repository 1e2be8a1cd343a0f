//! The tables `[quota]`, `[originals]` and `[redaction]`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use gateway_archive::{KeepOriginal, Limits, Recipients, WhenFull};
use gateway_core::OpaqueRule;
use gateway_redact::PathMode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::numbers::at_least_one;

/// `[quota]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Quota {
    /// Per container.
    pub container: QuotaLimits,
    /// Per pod.
    pub pod: QuotaLimits,
    /// Per namespace.
    pub namespace: QuotaLimits,
    /// In total.
    pub total: QuotaLimits,
    /// The age at which a checkpoint is deleted, in hours; 0 means never.
    pub max_age_hours: u32,
    /// The reaction to a limit that would be exceeded.
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
    /// The recipients who can open sealed originals: age's X25519 public keys.
    pub recipients: Vec<String>,
}

/// The handling of an archive as the runtime wrote it.
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
    /// The character that overwrites hidden values: one visible ASCII character.
    #[serde(deserialize_with = "mask")]
    pub mask: u8,
    /// Shorter values of environment variables, in bytes, are hidden in environments only, not wherever they occur.
    pub min_value_length: NonZeroUsize,
    /// Whether the metadata of a checkpoint lists the credentials that its redactors found: kinds, places and expiry, no value.
    pub credentials: bool,
    /// The file with the key for fingerprints of these credentials, at least 32 random bytes; no fingerprints without it.
    pub fingerprint_key: Option<PathBuf>,
    /// What happens to contents that cannot be searched or masked. Policies can have a rule of their own.
    pub opaque: OpaqueRule,
    /// Whether a secret in the name of a file, a mount or a socket is masked, or stays there.
    pub paths: PathMode,
    /// Whether policies and metadata get the annotation `kubectl.kubernetes.io/last-applied-configuration`.
    pub last_applied_configuration: LastApplied,
    /// Where values are hidden that cannot be told from ordinary text.
    pub common_values: CommonValues,
}

/// The handling of kubectl's annotation with the whole manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastApplied {
    /// It is left out of the request.
    #[default]
    Drop,
    /// It is an annotation like any other.
    Keep,
}

/// Where values of variables are hidden that cannot be told from ordinary text: booleans, numbers, durations, addresses, host
/// names, paths, usual words, names of the container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommonValues {
    /// Where the variable itself stands: in the specification, in environments, as `NAME=value`.
    #[default]
    Variable,
    /// Wherever they occur.
    Everywhere,
}

impl From<CommonValues> for gateway_redact::CommonValues {
    fn from(common: CommonValues) -> Self {
        match common {
            CommonValues::Variable => Self::Variable,
            CommonValues::Everywhere => Self::Everywhere,
        }
    }
}

impl Quota {
    /// The store's own form of these settings.
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
    /// The store's own form of these settings.
    ///
    /// # Errors
    /// If originals are to be sealed and a recipient is invalid, or there is none.
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
            credentials: false,
            fingerprint_key: None,
            opaque: OpaqueRule::default(),
            paths: PathMode::Mask,
            last_applied_configuration: LastApplied::Drop,
            common_values: CommonValues::default(),
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
