use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use gateway_audit::{Anchor, Expected, KeptHead, PublicKey, SignedHead, VerifyError};

/// No file with a head is longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// What is known of a log from elsewhere.
#[derive(Args)]
pub(super) struct Trusted {
    /// A public key that may have signed the log, as PEM; repeat it for several. What it vouches for counts, too.
    #[arg(long = "key", value_name = "PUBLIC.pem", value_parser = key)]
    pub(super) keys: Vec<PublicKey>,
    /// Where older segments were moved away: the place at which the log begins now, and the digest of the line before.
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

/// A head is a digest or a file with a signed head.
pub(super) fn kept(text: &str) -> Result<KeptHead, String> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(KeptHead::Digest(text.to_owned()));
    }
    let no_file =
        |error| format!("neither 64 hexadecimal digits nor a file that can be read: {error}");
    let file = std::fs::File::open(PathBuf::from(text)).map_err(no_file)?;
    let mut json = Vec::new();
    file.take(LONGEST).read_to_end(&mut json).map_err(no_file)?;
    let head: SignedHead = serde_json::from_slice(&json)
        .map_err(|error| format!("the file holds no signed head: {error}"))?;
    Ok(KeptHead::Signed(head))
}

/// An error with what is behind it, where it is no word about the log but about its files.
pub(super) fn unreadable(error: VerifyError) -> Result<VerifyError, anyhow::Error> {
    if matches!(error, VerifyError::Read { .. }) {
        Err(error.into())
    } else {
        Ok(error)
    }
}
