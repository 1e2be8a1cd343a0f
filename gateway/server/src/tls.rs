//! The TLS of the main listener: 1.3 and 1.2 by AWS-LC, ALPN h2 and http/1.1, client certificates if a CA is named.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{Tls, TlsVersion};

/// Why the listener cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read, or holds nothing of what it should.
    #[error("cannot read {what} from `{}`", .path.display())]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// A CA certificate that cannot be trusted.
    #[error("`{}` holds a certificate that cannot be a CA's", .path.display())]
    ClientCa {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Certificate and key do not fit each other, or not what TLS needs.
    #[error("the certificate `{}` and its key cannot be used", .path.display())]
    Identity {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

impl Error {
    /// Which file is meant.
    pub fn path(&self) -> &Path {
        match self {
            Self::Pem { path, .. } | Self::ClientCa { path, .. } | Self::Identity { path, .. } => {
                path
            }
        }
    }
}

/// What the listener needs to shake hands.
///
/// # Errors
/// Where a file cannot be read or the parts do not fit.
pub fn server_config(tls: &Tls) -> Result<ServerConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[_] = match tls.minimum_version {
        TlsVersion::V1_2 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::V1_3 => &[&rustls::version::TLS13],
    };
    let unusable = |source| Error::Identity {
        path: tls.certificate.clone(),
        source,
    };
    let chain = certificates("a certificate", &tls.certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(&tls.key).map_err(pem_error("a private key", &tls.key))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_protocol_versions(versions).map_err(unusable)?;
    let builder = match &tls.client_ca {
        Some(ca) => builder.with_client_cert_verifier(verifier(ca, provider)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// A certificate is asked for and not demanded: whoever has none may still send a token.
fn verifier(
    ca: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| Error::ClientCa {
        path: ca.to_path_buf(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("a CA certificate", ca)? {
        roots
            .add(certificate)
            .map_err(|error| wrong(error.into()))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .allow_unauthenticated();
    verifier.build().map_err(|error| wrong(error.into()))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.and_then(|list| {
        if list.is_empty() {
            Err(pem::Error::NoItemsFound)
        } else {
            Ok(list)
        }
    });
    found.map_err(pem_error(what, path))
}

fn pem_error(what: &'static str, path: &Path) -> impl FnOnce(pem::Error) -> Error {
    move |source| Error::Pem {
        what,
        path: path.to_path_buf(),
        source,
    }
}
