//! The public keys of a token issuer, from a JSON Web Key Set.

use std::io::Read;
use std::path::{Path, PathBuf};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};

/// The largest key set that is read, in bytes.
const SIZE_MAX: u64 = 1 << 20;
/// The shortest RSA modulus that is accepted, in bytes (2048 bits: RFC 7518, section 3.3).
const RSA_MIN: usize = 256;

/// Why an issuer's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file cannot be read.
    #[error("cannot read the key set `{}`", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than 1 MiB.
    #[error("the key set `{}` is larger than 1 MiB", .path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The file is not a JSON Web Key Set.
    #[error("`{}` is not a JSON Web Key Set (RFC 7517)", .path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The set has no usable key.
    #[error("the key set `{}` has no usable public signing key", .path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
}

impl JwksError {
    /// The file in question.
    pub fn path(&self) -> &Path {
        match self {
            Self::Read { path, .. }
            | Self::TooLarge { path }
            | Self::Parse { path, .. }
            | Self::Empty { path } => path,
        }
    }
}

/// An issuer's public signing keys.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Option<Algorithm>,
    public: DecodingKey,
}

impl Keys {
    /// Reads a JSON Web Key Set (RFC 7517). Keys of other kinds, for other uses or too short are ignored.
    ///
    /// # Errors
    /// Where the file cannot be read, or has no usable key.
    pub fn load(path: &Path) -> Result<Self, JwksError> {
        let read = |source| JwksError::Read {
            path: path.to_path_buf(),
            source,
        };
        let mut text = Vec::new();
        let file = std::fs::File::open(path).map_err(read)?;
        file.take(SIZE_MAX.saturating_add(1))
            .read_to_end(&mut text)
            .map_err(read)?;
        if text.len() as u64 > SIZE_MAX {
            return Err(JwksError::TooLarge {
                path: path.to_path_buf(),
            });
        }
        let keys = Self::parse(&text).map_err(|source| JwksError::Parse {
            path: path.to_path_buf(),
            source,
        })?;
        if keys.0.is_empty() {
            Err(JwksError::Empty {
                path: path.to_path_buf(),
            })
        } else {
            Ok(keys)
        }
    }

    fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        // Each key is parsed on its own, so that one of an unknown kind does not make the others unusable.
        #[derive(serde::Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = serde_json::from_slice(text)?;
        let keys = set
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value(key).ok())
            .collect();
        Ok(Self(
            JwkSet { keys }.keys.iter().filter_map(Key::of).collect(),
        ))
    }

    /// The keys that may have made a signature by `algorithm` and the key named `id`.
    pub(super) fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &DecodingKey> {
        let named = move |key: &&Key| id.is_none() || key.id.as_deref() == id;
        let fits = move |key: &&Key| {
            key.algorithm.is_none_or(|only| only == algorithm)
                && key.public.family() == algorithm.family()
        };
        self.0
            .iter()
            .filter(named)
            .filter(fits)
            .map(|key| &key.public)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let signs = jwk
            .common
            .public_key_use
            .as_ref()
            .is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let algorithm = match jwk.common.key_algorithm {
            Some(named) => Some(
                Algorithm::try_from(named)
                    .ok()
                    .filter(|algorithm| !is_symmetric(*algorithm))?,
            ),
            None => None,
        };
        let public = DecodingKey::from_jwk(jwk)
            .ok()
            .filter(is_strong)
            .filter(|_| signs)?;
        Some(Self {
            id: jwk.common.key_id.clone(),
            algorithm,
            public,
        })
    }
}

fn is_symmetric(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
    )
}

fn is_strong(key: &DecodingKey) -> bool {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, .. } => {
            n.iter().skip_while(|byte| **byte == 0).count() >= RSA_MIN
        }
        DecodingKeyKind::SecretOrDer(_) => key.family() != jsonwebtoken::AlgorithmFamily::Hmac,
    }
}
