//! The credentials in an archive: their kinds, places and expiry, never a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Place;

/// The credentials in an archive. No field holds a value or a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialReport {
    /// The credentials, those with the most copies first.
    pub credentials: Vec<Credential>,
    /// The number of copies of further credentials, which are not listed.
    pub unlisted: u64,
    /// The number of certificates of authorities, which are public and are not listed.
    pub authorities: u64,
}

/// A credential. Copies of one value count as one credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credential {
    /// A detector's name; `variable` for the value of a variable, `pattern` for what a pattern of the plan finds, or
    /// `certificate`.
    pub kind: String,
    /// The issuer's name, for kinds that have several: `GitLab`, `Stripe`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The name of the variable that holds it, or of the rule that finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The number of copies.
    pub copies: u64,
    /// The places with copies.
    pub places: Vec<CredentialPlace>,
    /// The number of further places, which are not listed.
    pub unlisted_places: u64,
    /// The issuer that a token or certificate names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The subject of a certificate, or the service account of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The time at which a token or certificate expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<jiff::Timestamp>,
    /// HMAC-SHA-256 under the configured key, in hex: the same credential has the same fingerprint in every archive. Absent
    /// without a key, and for passwords, which could be guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// A place with copies of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialPlace {
    /// The part of the archive.
    pub place: Place,
    /// The member.
    pub member: String,
    /// The process whose memory or state it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<u64>,
    /// The file, where the member is an archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The number of copies there.
    pub copies: u64,
}
