//! Credentials for the demo and for tests: a certificate authority and a token issuer. Not for production.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde_json::{Value, json};

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
pub struct Credential {
    /// The certificate.
    pub certificate: String,
    /// Its private key (PKCS #8).
    pub key: String,
}

/// The subject of a client certificate.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// Common name.
    pub name: Option<String>,
    /// Organizations.
    pub organizations: Vec<String>,
    /// URIs among the alternative names.
    pub uris: Vec<String>,
    /// Extended key usages.
    pub usages: Vec<ExtendedKeyUsagePurpose>,
    /// Whether the certificate is expired already.
    pub expired: bool,
}

impl Subject {
    /// A client with this name and these organizations, which are its groups, as in Kubernetes.
    pub fn client(name: &str, organizations: &[&str]) -> Self {
        Self {
            name: Some(name.to_owned()),
            organizations: organizations.iter().map(ToString::to_string).collect(),
            usages: vec![ExtendedKeyUsagePurpose::ClientAuth],
            ..Self::default()
        }
    }
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// The authority's own certificate, as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server's certificate for `localhost` and the loopback addresses.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn server(&self) -> Result<Credential> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "checkpoint-gateway");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// A client's certificate.
    ///
    /// # Errors
    /// If a name cannot be written into a certificate.
    pub fn client(&self, subject: &Subject) -> Result<Credential> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = &subject.name {
            params
                .distinguished_name
                .push(DnType::CommonName, name.as_str());
        }
        anyhow::ensure!(
            subject.organizations.len() < 2,
            "only one organization is supported"
        );
        for organization in &subject.organizations {
            params
                .distinguished_name
                .push(DnType::OrganizationName, organization.as_str());
        }
        for uri in &subject.uris {
            params
                .subject_alt_names
                .push(SanType::URI(uri.as_str().try_into()?));
        }
        params.extended_key_usages.clone_from(&subject.usages);
        if subject.expired {
            params.not_after = rcgen::date_time_ymd(2000, 1, 1);
            params.not_before = rcgen::date_time_ymd(1999, 1, 1);
        }
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Result<Credential> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Credential {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl Credential {
    /// Writes `NAME.crt` and `NAME.key` into `directory`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, directory: &Path, name: &str) -> Result<(PathBuf, PathBuf)> {
        let certificate = directory.join(format!("{name}.crt"));
        let key = directory.join(format!("{name}.key"));
        std::fs::write(&certificate, &self.certificate).context("cannot write a certificate")?;
        std::fs::write(&key, &self.key).context("cannot write a key")?;
        Ok((certificate, key))
    }
}

/// An issuer of JSON Web Tokens (RFC 7519) signed with ES256.
pub struct TokenIssuer {
    name: String,
    key: EncodingKey,
}

impl TokenIssuer {
    /// The name of the only key.
    const KEY_ID: &'static str = "1";

    /// A new issuer of this name.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        Ok(Self {
            name: name.to_owned(),
            key: EncodingKey::from_ec_der(&key.serialize_der()),
        })
    }

    /// The issuer's public keys, as a JSON Web Key Set (RFC 7517).
    ///
    /// # Errors
    /// If the key cannot be described.
    pub fn jwks(&self) -> Result<String> {
        let mut key = Jwk::from_encoding_key(&self.key, Algorithm::ES256)?;
        key.common.key_id = Some(Self::KEY_ID.to_owned());
        Ok(json!({ "keys": [key] }).to_string())
    }

    /// A token with these claims, and with `iss` if it is missing.
    ///
    /// # Errors
    /// If the claims cannot be signed.
    pub fn sign(&self, mut claims: Value) -> Result<String> {
        if let Some(claims) = claims.as_object_mut() {
            claims
                .entry("iss")
                .or_insert_with(|| self.name.clone().into());
        }
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(Self::KEY_ID.to_owned());
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
    }
}
