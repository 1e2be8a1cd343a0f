//! Keys, heads and anchors from a trusted source, to verify a log with.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use gateway_audit::{Anchor, Expected, KeptHead, PublicKey, SignedHead, VerifyError};

/// The longest file with a head that is read, in bytes.
const MAX_HEAD: u64 = 64 << 10;

/// Options with what is known about a log from a trusted source.
#[derive(Args)]
pub(super) struct Trusted {
    /// A public key that may have signed the log, as PEM. Can be repeated. Keys that it vouches for count, too.
    #[arg(long = "key", value_name = "PUBLIC.pem", value_parser = key)]
    pub(super) keys: Vec<PublicKey>,
    /// For a log whose older segments were moved away: the seq it begins with and the digest of the line before.
    #[arg(long, value_name = "SEQ:HEX")]
    anchor: Option<Anchor>,
}

impl Trusted {
    pub(super) fn expected(&self, head: Option<&KeptHead>) -> Expected {
        Expected {
            head: head.cloned(),
            keys: self.keys.clone(),
            anchor: self.anchor.clone(),
        }
    }
}

pub(super) fn key(path: &str) -> Result<PublicKey, String> {
    PublicKey::read(Path::new(path)).map_err(|error| error.to_string())
}

/// Parses a head: a digest, or a file with a signed head.
pub(super) fn kept(text: &str) -> Result<KeptHead, String> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(KeptHead::Digest(text.to_owned()));
    }
    let no_file =
        |error| format!("neither 64 hexadecimal digits nor a file that can be read: {error}");
    let file = std::fs::File::open(PathBuf::from(text)).map_err(no_file)?;
    let mut json = Vec::new();
    file.take(MAX_HEAD)
        .read_to_end(&mut json)
        .map_err(no_file)?;
    let head: SignedHead = serde_json::from_slice(&json)
        .map_err(|error| format!("the file does not contain a signed head: {error}"))?;
    Ok(KeptHead::Signed(head))
}

/// Separates a log that cannot be read, which is an error, from a log that does not hold, which is a result.
pub(super) fn unreadable(error: VerifyError) -> Result<VerifyError, anyhow::Error> {
    if matches!(error, VerifyError::Read { .. }) {
        Err(error.into())
    } else {
        Ok(error)
    }
}
