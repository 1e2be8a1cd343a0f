use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::json;

use super::client::Proof;
use super::settings::{AUDIENCE, ISSUER};
use crate::pki::{Authority, Subject, TokenIssuer};

/// How long the demo's tokens hold.
const LIFETIME: Duration = Duration::from_hours(8);

/// Those who call, and what they prove who they are with.
pub(super) struct Credentials {
    /// The certificate of the only authority there is, as PEM.
    pub(super) ca: String,
    /// The allow list names her.
    pub(super) alice: Proof,
    /// The allow list does not name him; his token is as good as hers.
    pub(super) mallory: Proof,
    /// A certificate with the organization `security`, which the allow list names.
    pub(super) responder: Proof,
}

impl Credentials {
    /// Makes them all, and writes what the gateway and curl need into `folder`.
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

/// A token, also as a header in a file, so that it need not stand on a command line, where every user of the machine could
/// read it.
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
