//! The reasons for which the gateway cannot start.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::authn::JwksError;
use crate::{policies, tls};

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificates and keys of the main listener.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The keys of an issuer.
    #[error(transparent)]
    Jwks(#[from] JwksError),
    /// The container runtime's socket.
    #[error(transparent)]
    Runtime(#[from] gateway_cri::Error),
    /// A folder to write to is missing and cannot be created.
    #[error("cannot create the folder `{}`", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The folder of the checkpoints.
    #[error(transparent)]
    Archive(#[from] gateway_archive::Error),
    /// The key for fingerprints of credentials.
    #[error(transparent)]
    FingerprintKey(#[from] gateway_archive::FingerprintKeyError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] gateway_audit::Error),
    /// The policies.
    #[error(transparent)]
    Policies(#[from] policies::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}
