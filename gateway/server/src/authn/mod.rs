//! Authentication: a bearer token, a client certificate, or both, in which case both must be valid.

mod authenticator;
mod certificate;
mod error;
mod jwks;
mod jwt;

pub use authenticator::{Authenticator, Caller};
pub use certificate::{BadCertificate, Certificate};
pub use error::Error;
pub use jwks::{JwksError, Keys};
