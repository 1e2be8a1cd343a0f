//! The identity of a caller.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of credential that proved an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum CredentialKind {
    /// A signed JSON Web Token in the `Authorization` header (RFC 6750, RFC 7519).
    BearerToken,
    /// An X.509 certificate in the TLS handshake.
    ClientCertificate,
}

/// A caller's verified identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The user's name, with the prefix configured for the issuer.
    pub user: String,
    /// The user's groups, with the prefix configured for the issuer.
    pub groups: Vec<String>,
    /// The kind of credential.
    pub credential: CredentialKind,
    /// The token's `iss`, or the subject of the certificate's issuer.
    pub issuer: String,
    /// The token's verified claims, or the certificate's names. Never the credential itself.
    pub claims: serde_json::Map<String, serde_json::Value>,
}
