//! The identity in a client certificate.

use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::{CredentialKind, Identity};
use rustls_pki_types::CertificateDer;
use serde_json::{Map, Value};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

/// The longest name that a certificate may carry, in bytes, and the most of them.
const NAME_MAX: usize = 1024;
const NAMES_MAX: usize = 64;

/// A client certificate that proves an identity. Its chain, its dates and its key were checked in the TLS handshake.
#[derive(Debug, Clone)]
pub struct Certificate {
    identity: Identity,
    /// SHA-256 of the certificate: its thumbprint in `x5t#S256` (RFC 8705).
    sha256: [u8; 32],
}

/// Why a certificate that the handshake accepted proves no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCertificate {
    /// It cannot be parsed.
    #[error("it cannot be parsed")]
    Malformed,
    /// It lacks the extended key usage for clients. Without one it could be any server's.
    #[error("it lacks the extended key usage clientAuth")]
    Usage,
    /// It carries several URIs or several common names, so the user is ambiguous.
    #[error("it carries more than one name")]
    Ambiguous,
    /// It carries no name.
    #[error("it carries no name: neither a URI among its alternative names nor a common name")]
    Nameless,
}

impl Certificate {
    /// Reads the identity from `der`, the end-entity certificate of a handshake. A URI among the alternative names is the
    /// user; else the subject's common name is the user and its organizations are the groups, as in Kubernetes.
    ///
    /// # Errors
    /// Where it names no user, or is not for clients.
    pub fn of(der: &CertificateDer<'_>) -> Result<Self, BadCertificate> {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|_| BadCertificate::Malformed)?;
        if !is_for_clients(&certificate)? {
            return Err(BadCertificate::Usage);
        }
        let subject = certificate.subject();
        let uris = uris(&certificate)?;
        let (user, groups) = match uris.as_slice() {
            [] => (common_name(subject)?, organizations(subject)?),
            [uri] => (uri.clone(), Vec::new()),
            _ => return Err(BadCertificate::Ambiguous),
        };
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, der).as_ref());
        let claims = Map::from_iter([
            ("subject".to_owned(), Value::String(subject.to_string())),
            ("uris".to_owned(), Value::from(uris)),
            (
                "serial".to_owned(),
                Value::String(certificate.raw_serial_as_string()),
            ),
        ]);
        Ok(Self {
            identity: Identity {
                user,
                groups,
                credential: CredentialKind::ClientCertificate,
                issuer: certificate.issuer().to_string(),
                claims,
            },
            sha256,
        })
    }

    /// The identity in the certificate.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// SHA-256 of the certificate.
    pub(super) fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

fn is_for_clients(certificate: &X509Certificate<'_>) -> Result<bool, BadCertificate> {
    let usage = certificate
        .extended_key_usage()
        .map_err(|_| BadCertificate::Malformed)?;
    Ok(usage.is_some_and(|usage| usage.value.client_auth))
}

fn uris(certificate: &X509Certificate<'_>) -> Result<Vec<String>, BadCertificate> {
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| BadCertificate::Malformed)?;
    let Some(names) = names else {
        return Ok(Vec::new());
    };
    let uris = names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(checked(uri)),
            _ => None,
        });
    uris.take(NAMES_MAX).collect()
}

fn common_name(subject: &X509Name<'_>) -> Result<String, BadCertificate> {
    let mut names = subject.iter_common_name();
    match (names.next(), names.next()) {
        (Some(name), None) => checked(name.as_str().map_err(|_| BadCertificate::Malformed)?),
        (Some(_), Some(_)) => Err(BadCertificate::Ambiguous),
        (None, _) => Err(BadCertificate::Nameless),
    }
}

fn organizations(subject: &X509Name<'_>) -> Result<Vec<String>, BadCertificate> {
    let names = subject
        .iter_organization()
        .map(|name| name.as_str().map_err(|_| BadCertificate::Malformed));
    names.take(NAMES_MAX).map(|name| checked(name?)).collect()
}

/// A name with control characters could be mistaken for another, so it is refused.
fn checked(name: &str) -> Result<String, BadCertificate> {
    let fits = (1..=NAME_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(BadCertificate::Malformed)
    }
}
