//! Verification of bearer tokens (JWT, RFC 7519).

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway_core::{CredentialKind, Identity};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Certificate, Error, JwksError, Keys};
use crate::config::Issuer;

/// The longest user or group name that a token may carry, in bytes, and the most groups.
const NAME_MAX: usize = 1024;
const GROUPS_MAX: usize = 1024;

/// An issuer whose tokens are accepted (RFC 7519; RFC 8725 says what to refuse).
#[derive(Debug)]
pub(super) struct TrustedIssuer {
    config: Issuer,
    algorithms: Vec<Algorithm>,
    keys: Keys,
}

impl TrustedIssuer {
    pub(super) fn load(config: &Issuer) -> Result<Self, JwksError> {
        let algorithms = config
            .algorithms
            .iter()
            .copied()
            .map(Algorithm::from)
            .collect();
        Ok(Self {
            config: config.clone(),
            algorithms,
            keys: Keys::load(&config.jwks_file)?,
        })
    }

    pub(super) fn is(&self, issuer: &str) -> bool {
        self.config.issuer == issuer
    }

    /// The identity that `token` proves. A token that is bound to a certificate needs that certificate.
    pub(super) fn verify(
        &self,
        token: &str,
        certificate: Option<&Certificate>,
    ) -> Result<Identity, Error> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::Malformed)?;
        // RFC 7515, section 4.1.11: unknown critical extensions must be refused, and none is known here.
        if !self.algorithms.contains(&header.alg) || has_critical_extension(token) {
            return Err(Error::Malformed);
        }
        let claims = self.claims(token, header.kid.as_deref(), header.alg)?;
        check_binding(&claims, certificate)?;
        self.identity(claims)
    }

    fn claims(
        &self,
        token: &str,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Map<String, Value>, Error> {
        let validation = self.validation(algorithm);
        let mut last = Error::Signature;
        for key in self.keys.candidates(key_id, algorithm) {
            match jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation) {
                Ok(token) => return Ok(token.claims),
                Err(error) => last = error_of(&error),
            }
            if last != Error::Signature {
                break;
            }
        }
        Err(last)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&self.config.audiences);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        validation.validate_nbf = true;
        validation.leeway = self.config.leeway_seconds.into();
        validation
    }

    fn identity(&self, claims: Map<String, Value>) -> Result<Identity, Error> {
        let user = claims
            .get(&self.config.user_claim)
            .and_then(Value::as_str)
            .filter(|name| is_name(name));
        let user = format!("{}{}", self.config.user_prefix, user.ok_or(Error::Claims)?);
        let groups = match claims.get(&self.config.groups_claim) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(group)) => vec![group.as_str()],
            Some(Value::Array(list)) if list.len() <= GROUPS_MAX => list
                .iter()
                .map(Value::as_str)
                .collect::<Option<_>>()
                .ok_or(Error::Claims)?,
            Some(_) => return Err(Error::Claims),
        };
        if !groups.iter().all(|group| is_name(group)) {
            return Err(Error::Claims);
        }
        Ok(Identity {
            user,
            groups: groups
                .iter()
                .map(|group| format!("{}{group}", self.config.groups_prefix))
                .collect(),
            credential: CredentialKind::BearerToken,
            issuer: self.config.issuer.clone(),
            claims,
        })
    }
}

/// The issuer that the token claims. It proves nothing: it only selects the keys that must have signed the token.
pub(super) fn unverified_issuer(token: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Unverified {
        iss: String,
    }
    part::<Unverified>(token, 1)
        .map(|claims| claims.iss)
        .ok_or(Error::Malformed)
}

fn has_critical_extension(token: &str) -> bool {
    part::<Map<String, Value>>(token, 0)
        .is_none_or(|header| header.contains_key("crit") || header.contains_key("b64"))
}

fn part<T: for<'de> Deserialize<'de>>(token: &str, at: usize) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(at)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Confirmation by certificate (RFC 8705, section 3.1). Other methods of confirmation (RFC 7800) cannot be checked here, so a
/// token that has one is refused.
fn check_binding(
    claims: &Map<String, Value>,
    certificate: Option<&Certificate>,
) -> Result<(), Error> {
    let Some(confirmation) = claims.get("cnf") else {
        return Ok(());
    };
    let methods: HashSet<_> = confirmation
        .as_object()
        .ok_or(Error::Claims)?
        .keys()
        .map(String::as_str)
        .collect();
    if methods != HashSet::from(["x5t#S256"]) {
        return Err(Error::Binding);
    }
    let bound = confirmation
        .get("x5t#S256")
        .and_then(Value::as_str)
        .ok_or(Error::Claims)?;
    match certificate {
        Some(certificate) if URL_SAFE_NO_PAD.encode(certificate.sha256()) == bound => Ok(()),
        _ => Err(Error::Binding),
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn error_of(error: &JwtError) -> Error {
    match error.kind() {
        ErrorKind::InvalidSignature => Error::Signature,
        ErrorKind::InvalidAudience => Error::Audience,
        ErrorKind::ExpiredSignature => Error::Expired,
        ErrorKind::ImmatureSignature => Error::NotYet,
        ErrorKind::InvalidIssuer => Error::Issuer,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => Error::Claims,
        _ => Error::Malformed,
    }
}
