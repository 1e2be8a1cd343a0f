//! What is known of a log from places that are trusted more than its files.

use std::str::FromStr;

use crate::key::PublicKey;
use crate::merkle::parse_hash;
use crate::signature::SignedHead;

/// What is known of a log from a place that is trusted more than its files.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// An earlier head: the log must continue from there.
    pub head: Option<KeptHead>,
    /// The keys that may have signed the log; keys that they vouch for count, too. If there are none, heads are checked
    /// against the keys that the log itself names.
    pub keys: Vec<PublicKey>,
    /// The place at which the log begins, if older segments were moved away.
    pub anchor: Option<Anchor>,
}

/// A head that was kept away from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptHead {
    /// The digest (SHA-256, hex) of the line that was the last at that time.
    Digest(String),
    /// A signed tree head.
    Signed(SignedHead),
}

/// A place in the chain, between two lines. Written `SEQ:HEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The number of the line after it.
    pub seq: u64,
    /// The digest (SHA-256, hex) of the line before it.
    pub prev: String,
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (seq, prev) = text.split_once(':')?;
            parse_hash(prev)?;
            Some(Self {
                seq: seq.parse().ok()?,
                prev: prev.to_ascii_lowercase(),
            })
        };
        parse().ok_or_else(|| {
            "an anchor is the seq of a line, a colon, and its prev in 64 hexadecimal digits"
                .to_owned()
        })
    }
}
