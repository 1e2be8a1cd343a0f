//! The credentials of the demo's callers.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::json;

use super::client::Proof;
use super::settings::{AUDIENCE, ISSUER};
use crate::pki::{Authority, Subject, TokenIssuer};

/// The lifetime of the demo's tokens.
const LIFETIME: Duration = Duration::from_hours(8);

/// The callers' credentials.
pub(super) struct Credentials {
    /// The certificate authority of server and clients, as PEM.
    pub(super) ca: String,
    /// A token of a user on the allow list.
    pub(super) alice: Proof,
    /// A token, just as valid, of a user who is not on the allow list.
    pub(super) mallory: Proof,
    /// A certificate of the organization `security`, a group on the allow list.
    pub(super) responder: Proof,
}

impl Credentials {
    /// Makes all credentials, and writes the files for the gateway and for curl into `folder`.
    pub(super) fn make(folder: &Path) -> Result<Self> {
        let authority = Authority::new("checkpoint-gateway demo")?;
        let issuer = TokenIssuer::new(ISSUER)?;
        write(folder, "ca.crt", authority.pem())?;
        write(folder, "jwks.json", &issuer.jwks()?)?;
        authority.server()?.write(folder, "server")?;
        let responder = authority.client(&Subject::client("responder", &["security"]))?;
        responder.write(folder, "responder")?;
        Ok(Self {
            ca: authority.pem().to_owned(),
            alice: token(&issuer, folder, "alice")?,
            mallory: token(&issuer, folder, "mallory")?,
            responder: Proof::Certificate(responder),
        })
    }
}

/// Makes a token, and writes it as a header to a file: on a command line every user of the machine could read it.
fn token(issuer: &TokenIssuer, folder: &Path, user: &str) -> Result<Proof> {
    let expires = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? + LIFETIME;
    let token = issuer.sign(json!({ "sub": user, "aud": AUDIENCE, "exp": expires.as_secs() }))?;
    write(
        folder,
        &format!("{user}.header"),
        &format!("Authorization: Bearer {token}\n"),
    )?;
    Ok(Proof::Token(token))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
