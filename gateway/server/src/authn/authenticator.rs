//! Verifies the credentials of a request. Only this file can make a [`Caller`].

use std::sync::Arc;

use gateway_core::Identity;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::jwt::{self, TrustedIssuer};
use super::{BadCertificate, Certificate, Error, JwksError};
use crate::config::Issuer;

/// A caller whose credentials were verified. The field is private to this file, so [`Authenticator::verify`] is the only way
/// to get one.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Identity>);

impl Caller {
    /// The verified identity.
    pub fn identity(&self) -> &Identity {
        &self.0
    }
}

/// Verifies callers by the issuers and certificates that are configured as trusted.
#[derive(Debug)]
pub struct Authenticator {
    issuers: Vec<TrustedIssuer>,
}

impl Authenticator {
    /// An authenticator that trusts the tokens of these issuers, and the certificates that the TLS handshake has accepted.
    ///
    /// # Errors
    /// Where an issuer's keys cannot be read.
    pub fn new(issuers: &[Issuer]) -> Result<Self, JwksError> {
        let issuers = issuers
            .iter()
            .map(TrustedIssuer::load)
            .collect::<Result<_, _>>()?;
        Ok(Self { issuers })
    }

    /// The caller that the credentials prove. Where both are presented, both must be valid, and the token names the caller.
    ///
    /// # Errors
    /// Where there is no credential, or one that is presented is invalid.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        certificate: Option<&Result<Certificate, BadCertificate>>,
    ) -> Result<Caller, Error> {
        let certificate = certificate
            .map(Result::as_ref)
            .transpose()
            .map_err(|error| *error)?;
        let mut tokens = headers.get_all(AUTHORIZATION).iter();
        match (tokens.next(), tokens.next(), certificate) {
            (Some(token), None, certificate) => {
                let identity = self.of_token(bearer(token)?, certificate)?;
                Ok(Caller(Arc::new(identity)))
            }
            (Some(_), Some(_), _) => Err(Error::Scheme),
            (None, _, Some(certificate)) => Ok(Caller(Arc::new(certificate.identity().clone()))),
            (None, _, None) => Err(Error::Missing),
        }
    }

    fn of_token(&self, token: &str, certificate: Option<&Certificate>) -> Result<Identity, Error> {
        let issuer = jwt::unverified_issuer(token)?;
        let issuer = self
            .issuers
            .iter()
            .find(|trusted| trusted.is(&issuer))
            .ok_or(Error::Issuer)?;
        issuer.verify(token, certificate)
    }
}

/// The token of `Bearer TOKEN` (RFC 6750, section 2.1). The scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(value: &HeaderValue) -> Result<&str, Error> {
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(Error::Scheme)?;
    if scheme.eq_ignore_ascii_case("Bearer") {
        Ok(token.trim_start_matches(' '))
    } else {
        Err(Error::Scheme)
    }
}
