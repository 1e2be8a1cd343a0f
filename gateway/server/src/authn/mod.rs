//! Who is asking? A bearer token, a client certificate, or both, in which case both must hold.

mod certificate;
mod jwks;
mod jwt;

pub use certificate::{BadCertificate, Certificate};
pub use jwks::{JwksError, Keys};

use gateway_core::Identity;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use crate::config::Issuer;
use jwt::TrustedIssuer;

/// A caller whose identity is proven. Only this room can make one.
#[derive(Debug, Clone)]
pub struct Caller(Identity);

impl Caller {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.0
    }

    pub(crate) fn into_identity(self) -> Identity {
        self.0
    }
}

/// Why nobody is proven. No message repeats anything of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither token nor certificate.
    #[error("no credential: send a bearer token or a client certificate")]
    Missing,
    /// `Authorization` is there more than once, or is no bearer token.
    #[error("the Authorization header must come once, as `Bearer TOKEN`")]
    Scheme,
    /// The token is no JWT, or signed in a way that does not count.
    #[error("the token is malformed or signed in a way that is not accepted")]
    Malformed,
    /// No configured issuer made the token.
    #[error("the token's issuer is not known here")]
    Issuer,
    /// The signature is not by a key of the issuer.
    #[error("the token's signature does not hold")]
    Signature,
    /// The token is for another audience.
    #[error("the token is for another audience")]
    Audience,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is not valid yet.
    #[error("the token is not valid yet")]
    NotYet,
    /// A claim is missing or of the wrong type.
    #[error("the token lacks a claim that is needed, or one is of the wrong type")]
    Claims,
    /// The token is bound to another certificate than the one presented, or none was (RFC 8705).
    #[error("the token is bound to a client certificate that was not presented")]
    Binding,
    /// The certificate proves no identity.
    #[error("the client certificate does not count: {0}")]
    Certificate(#[from] BadCertificate),
}

impl Error {
    /// The challenge of RFC 6750, section 3: without an error code where no credential was sent.
    pub(crate) fn challenge(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Missing | Self::Certificate(_) => "Bearer",
            Self::Scheme => "Bearer error=\"invalid_request\"",
            _ => "Bearer error=\"invalid_token\"",
        })
    }
}

/// Tells callers by the issuers and certificates that are trusted.
#[derive(Debug)]
pub struct Authenticator {
    issuers: Vec<TrustedIssuer>,
}

impl Authenticator {
    /// Trusts the tokens of these issuers, and the certificates that the TLS listener lets through.
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

    /// The caller that the credentials prove. The token names them where both are presented.
    ///
    /// # Errors
    /// Where there is no credential, or any that is there does not hold.
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
                self.of_token(bearer(token)?, certificate).map(Caller)
            }
            (Some(_), Some(_), _) => Err(Error::Scheme),
            (None, _, Some(certificate)) => Ok(Caller(certificate.identity.clone())),
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
