//! The gateway's bounds on the answers of policies. They are not part of the contract in `wit/`, so they stand here once for
//! policies; a test of the gateway compares them with its own.

/// The longest message, and the longest name or value of an annotation, in bytes.
pub const TEXT_MAX: usize = 1024;
/// The most stars in a glob of a plan.
pub const GLOB_STARS_MAX: usize = 8;
/// The detector that selects environment variables by names that speak of secrets. All others find secrets by their form.
pub const TELLING_NAMES: &str = "telling-names";
/// The detectors that a plan may name.
pub const DETECTORS: [&str; 24] = [
    "private-key",
    "jwt",
    "kubernetes-token",
    "aws-access-key",
    "gcp-key",
    "azure-key",
    "github-token",
    "slack-token",
    "basic-auth-url",
    "shadow-line",
    "credit-card",
    "model-key",
    "code-host-token",
    "registry-token",
    "vault-token",
    "payment-key",
    "cloud-token",
    "message-token",
    "operations-token",
    "connection-string",
    "auth-header",
    "password-field",
    "credential-file",
    TELLING_NAMES,
];
