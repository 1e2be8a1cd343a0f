use serde::{Deserialize, Serialize};

/// How a caller proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// A signed JSON Web Token in the `Authorization` header (RFC 6750, RFC 7519).
    BearerToken,
    /// An X.509 certificate in the TLS handshake.
    ClientCertificate,
}

/// Who asks, as the gateway verified it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user's name, with the prefix that its issuer is configured to carry.
    pub user: String,
    /// The user's groups, with the prefix that their issuer is configured to carry.
    pub groups: Vec<String>,
    /// What proved it.
    pub credential: CredentialKind,
    /// The token's `iss`, or the subject of the certificate's issuer.
    pub issuer: String,
    /// The token's verified claims, or the certificate's names. Never the credential itself.
    pub claims: serde_json::Map<String, serde_json::Value>,
}
