//! The calls of the main listener: their methods and path templates.

use http::Method;

/// A call of the main listener without its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Take a checkpoint.
    Checkpoint,
    /// List stored checkpoints.
    List,
    /// Show a checkpoint's metadata and contents.
    Inspect,
    /// Delete a checkpoint.
    Delete,
    /// Download a checkpoint's archive.
    Download,
    /// Hold a checkpoint.
    Hold,
    /// Release a checkpoint's hold.
    Release,
    /// Show the caller's identity.
    WhoAmI,
    /// Get the OpenAPI document.
    OpenApi,
}

impl Operation {
    /// All calls.
    pub const ALL: [Self; 9] = [
        Self::Checkpoint,
        Self::List,
        Self::Inspect,
        Self::Delete,
        Self::Download,
        Self::Hold,
        Self::Release,
        Self::WhoAmI,
        Self::OpenApi,
    ];

    /// The path, with the names of its parameters in braces.
    pub const fn template(self) -> &'static str {
        match self {
            Self::Checkpoint => "/checkpoint/{namespace}/{pod}/{container}",
            Self::List => "/v1/checkpoints",
            Self::Inspect | Self::Delete => "/v1/checkpoints/{id}",
            Self::Download => "/v1/checkpoints/{id}/archive",
            Self::Hold | Self::Release => "/v1/checkpoints/{id}/hold",
            Self::WhoAmI => "/v1/whoami",
            Self::OpenApi => "/openapi.json",
        }
    }

    /// The method.
    pub const fn method(self) -> Method {
        match self {
            Self::Checkpoint => Method::POST,
            Self::List | Self::Inspect | Self::Download | Self::WhoAmI | Self::OpenApi => {
                Method::GET
            }
            Self::Delete | Self::Release => Method::DELETE,
            Self::Hold => Method::PUT,
        }
    }
}
