//! Groups credentials by their kind: what has to be revoked, and where.

use std::collections::BTreeMap;

use gateway_core::Credential;
use jiff::Timestamp;
use serde::Serialize;

/// Credentials of one kind that somebody has to revoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Revocation {
    /// The kind.
    pub(super) kind: String,
    /// The product, for kinds that have several.
    pub(super) product: Option<String>,
    /// The number of different credentials, those that have expired left out.
    pub(super) credentials: u64,
    /// The number of those that have expired.
    pub(super) expired: u64,
    /// Who issues them.
    pub(super) issuer: String,
}

/// The credentials by kind, product and the issuer that they name.
pub(super) fn of(credentials: &[Credential], now: Timestamp) -> Vec<Revocation> {
    let mut groups: BTreeMap<(&str, Option<&str>, String), (u64, u64)> = BTreeMap::new();
    for credential in credentials {
        let key = (
            credential.kind.as_str(),
            credential.product.as_deref(),
            issuer(credential),
        );
        let (valid, expired) = groups.entry(key).or_default();
        if credential.expires.is_some_and(|expires| expires <= now) {
            *expired += 1;
        } else {
            *valid += 1;
        }
    }
    let groups = groups.into_iter();
    groups
        .map(
            |((kind, product, issuer), (credentials, expired))| Revocation {
                kind: kind.to_owned(),
                product: product.map(str::to_owned),
                credentials,
                expired,
                issuer,
            },
        )
        .collect()
}

/// Who issues it, as far as the kind or the credential itself says.
fn issuer(credential: &Credential) -> String {
    let hint = match credential.kind.as_str() {
        "aws-access-key" => "AWS IAM",
        "azure-key" => "Azure: the storage account, service or app registration",
        "gcp-key" => "Google Cloud IAM, or the API's credentials page",
        "github-token" => "GitHub: the user's or the app's settings",
        "slack-token" => "Slack: the app's settings",
        "kubernetes-token" => "Kubernetes: delete the pod or the Secret that the token is bound to",
        "private-key" => "whoever holds the public key: replace the key pair and its certificate",
        "certificate" => "the authority that signed it, if its private key is in the archive, too",
        "basic-auth-url" | "connection-string" => "the service that the address names",
        "auth-header" => "the service that the request is for",
        "credential-file" => "the service that the file is for: registry, database, web server",
        "shadow-line" => "the image or host whose account it is",
        "credit-card" => "the card's bank",
        "variable" => "whoever set the variable: the Secret or manifest of the pod",
        "jwt" => "the token's issuer",
        _ => "the product's settings for tokens or keys",
    };
    match (&credential.product, &credential.issuer) {
        (_, Some(issuer)) => format!("{hint} ({issuer})"),
        (Some(product), None) => format!("{product}: {hint}"),
        (None, None) => hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_tokens_are_counted_apart() {
        let token = |expires: &str| Credential {
            kind: "jwt".to_owned(),
            issuer: Some("https://issuer.example".to_owned()),
            expires: Some(expires.parse().unwrap()),
            ..Credential::default()
        };
        let now = "2026-11-28T00:00:00Z".parse().unwrap();
        let tokens = [token("2026-11-27T00:00:00Z"), token("2026-11-29T00:00:00Z")];
        let [group] = of(&tokens, now).try_into().unwrap();
        assert_eq!((group.credentials, group.expired), (1, 1));
        assert!(group.issuer.contains("https://issuer.example"));
    }
}
