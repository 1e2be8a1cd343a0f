//! The reasons for which a credential proves no caller.

use http::header::HeaderValue;

use super::BadCertificate;

/// Why no caller is proven. No message repeats any part of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither token nor certificate.
    #[error("no credential: send a bearer token or a client certificate")]
    Missing,
    /// `Authorization` is repeated, or is not a bearer token.
    #[error("the Authorization header must come once, as `Bearer TOKEN`")]
    Scheme,
    /// The token is not a JWT, or is signed with an algorithm that the issuer is not configured for.
    #[error("the token is not a valid JWT, or its signature algorithm is not accepted")]
    Malformed,
    /// The token's issuer is not configured.
    #[error("the token's issuer is not configured")]
    Issuer,
    /// No key of the issuer verifies the signature.
    #[error("the token's signature is not valid")]
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
    #[error("the token lacks a required claim, or a claim has the wrong type")]
    Claims,
    /// The token is bound to a certificate that was not presented (RFC 8705).
    #[error("the token is bound to a client certificate that was not presented")]
    Binding,
    /// The certificate proves no identity.
    #[error("the client certificate is not accepted: {0}")]
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
