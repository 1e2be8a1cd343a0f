//! The tables `[tls]` and `[[issuers]]`.

use std::path::PathBuf;

use jsonwebtoken::Algorithm;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `[tls]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// PEM: the gateway's certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// PEM: the key to it.
    pub key: PathBuf,
    /// PEM: the CA certificates that may issue client certificates. Without it, none is requested.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// The oldest version that is accepted.
    #[serde(default)]
    pub minimum_version: TlsVersion,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    /// RFC 5246, with forward secrecy and authenticated encryption only.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    V1_3,
}

/// `[[issuers]]`: an accepted issuer of tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Issuer {
    /// The exact `iss` of the tokens.
    pub issuer: String,
    /// One of these must be in the token's `aud`.
    #[serde(deserialize_with = "one_or_more")]
    pub audiences: Vec<String>,
    /// JSON Web Key Set (RFC 7517) with the issuer's public keys.
    pub jwks_file: PathBuf,
    /// The accepted signature algorithms, which are asymmetric.
    #[serde(default = "Issuer::algorithms")]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// The claim that names the user.
    #[serde(default = "Issuer::user_claim")]
    pub user_claim: String,
    /// A prefix of the user's name, so that two issuers cannot name the same user.
    #[serde(default)]
    pub user_prefix: String,
    /// The claim that names the groups: a string or a list of strings.
    #[serde(default = "Issuer::groups_claim")]
    pub groups_claim: String,
    /// A prefix of each group's name.
    #[serde(default)]
    pub groups_prefix: String,
    /// The largest accepted difference to the issuer's clock, in seconds.
    #[serde(default = "Issuer::leeway")]
    pub leeway_seconds: u16,
}

/// An asymmetric signature algorithm of RFC 7518 or RFC 8037. Symmetric ones and `none` have no variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the RFCs")]
pub enum SignatureAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    #[serde(rename = "EdDSA")]
    EdDSA,
}

impl SignatureAlgorithm {
    const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];
}

impl From<SignatureAlgorithm> for Algorithm {
    fn from(algorithm: SignatureAlgorithm) -> Self {
        match algorithm {
            SignatureAlgorithm::RS256 => Self::RS256,
            SignatureAlgorithm::RS384 => Self::RS384,
            SignatureAlgorithm::RS512 => Self::RS512,
            SignatureAlgorithm::PS256 => Self::PS256,
            SignatureAlgorithm::PS384 => Self::PS384,
            SignatureAlgorithm::PS512 => Self::PS512,
            SignatureAlgorithm::ES256 => Self::ES256,
            SignatureAlgorithm::ES384 => Self::ES384,
            SignatureAlgorithm::EdDSA => Self::EdDSA,
        }
    }
}

impl Issuer {
    fn algorithms() -> Vec<SignatureAlgorithm> {
        SignatureAlgorithm::ALL.to_vec()
    }

    fn user_claim() -> String {
        "sub".to_owned()
    }

    fn groups_claim() -> String {
        "groups".to_owned()
    }

    fn leeway() -> u16 {
        30
    }
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() {
        Err(D::Error::custom("name at least one"))
    } else {
        Ok(list)
    }
}
