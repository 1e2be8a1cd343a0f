//! Settings of redaction.

use gateway_core::OpaqueRule;

use crate::search::{CredentialSettings, SearchSettings};

/// The mask byte, and the bounds of redaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactionSettings {
    /// The byte that overwrites matches: visible ASCII, neither a quote nor a backslash.
    pub mask: u8,
    /// Values of environment variables that are shorter, in bytes, are masked only in environments.
    pub min_value_length: usize,
    /// Where values that cannot be told from ordinary text are masked.
    pub common_values: CommonValues,
    /// The most members of an archive, those of archives inside it included.
    pub max_members: u64,
    /// The largest JSON document, in bytes.
    pub max_document_bytes: u64,
    /// The most that one compressed member may unpack to, in bytes.
    pub max_unpacked_bytes: u64,
    /// The most that a compressed member may unpack to, as a multiple of its own size.
    pub max_ratio: u64,
    /// What every compressed member may unpack to, in bytes, however small it is.
    pub always_unpacked_bytes: u64,
    /// Bytes of one memory page, where the archive's images do not tell it.
    pub page_size: u64,
    /// Whether the summary lists the credentials that were found, and how.
    pub credentials: Option<CredentialSettings>,
    /// Whether the output is thrown away. Then members that redaction would refuse are noted, and the rest is searched.
    pub looks_only: bool,
    /// What happens to contents that cannot be searched or masked.
    pub opaque: OpaqueRule,
    /// What happens to a secret in the name of a file, a mount or a socket.
    pub paths: PathMode,
}

/// What happens to a secret in a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathMode {
    /// It is masked, alike wherever the path stands. What is open, mapped or mounted there cannot be restored.
    #[default]
    Mask,
    /// It stays, in paths only.
    Keep,
}

/// Where values of variables are masked that cannot be told from ordinary text: booleans, numbers, durations, addresses, host
/// names, paths, usual words, and the names that the container has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CommonValues {
    /// Where the variable itself stands: in the specification, in environments, and as `NAME=value`.
    #[default]
    Variable,
    /// Wherever they occur.
    Everywhere,
}

impl RedactionSettings {
    /// The search engine's part of the settings.
    pub(super) fn search(&self) -> SearchSettings {
        SearchSettings {
            mask: self.mask,
            min_value_length: self.min_value_length,
            credentials: self.credentials.clone(),
            ..SearchSettings::default()
        }
    }

    /// The most bytes that a compressed member of `size` bytes may unpack to.
    pub(super) fn max_unpacked(&self, size: u64) -> u64 {
        size.saturating_mul(self.max_ratio)
            .max(self.always_unpacked_bytes)
            .min(self.max_unpacked_bytes)
    }
}

impl Default for RedactionSettings {
    /// `*`, values from 6 bytes on, a million members, documents of 16 MiB, 64 GiB unpacked at up to 200 times, this
    /// machine's pages, opaque files of archives left out, paths masked.
    fn default() -> Self {
        Self {
            mask: b'*',
            min_value_length: 6,
            common_values: CommonValues::default(),
            max_members: 1_000_000,
            max_document_bytes: 16 << 20,
            max_unpacked_bytes: 64 << 30,
            max_ratio: 200,
            always_unpacked_bytes: 256 << 20,
            page_size: rustix::param::page_size() as u64,
            credentials: None,
            looks_only: false,
            opaque: OpaqueRule::default(),
            paths: PathMode::Mask,
        }
    }
}
