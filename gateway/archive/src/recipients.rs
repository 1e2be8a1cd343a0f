//! The recipients of sealed originals.

use std::fmt;
use std::sync::Arc;

use age::x25519;

use crate::Error;

/// The most recipients of a sealed original: each costs a line in its header and some microseconds.
const MAX_RECIPIENTS: usize = 64;

/// The recipients who can open a sealed original: age's X25519 recipients, one or more.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipients(Arc<[x25519::Recipient]>);

impl Recipients {
    /// Reads recipients as `age-keygen` prints them (`age1...`).
    ///
    /// # Errors
    /// [`Error::BadRecipient`] gives the position of an invalid recipient. It never repeats the text, which may be a key that
    /// was put there by mistake. [`Error::Recipients`] for none, or more than 64.
    pub fn parse(texts: &[String]) -> Result<Self, Error> {
        if texts.is_empty() || texts.len() > MAX_RECIPIENTS {
            return Err(Error::Recipients {
                max: MAX_RECIPIENTS,
                given: texts.len(),
            });
        }
        let parsed = texts.iter().enumerate().map(|(at, text)| {
            text.parse().map_err(|_| Error::BadRecipient {
                position: at + 1,
                reason: problem(text),
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// The number of recipients.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &x25519::Recipient> {
        self.0.iter()
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipients({})", self.count())
    }
}

fn problem(text: &str) -> &'static str {
    let text = text.trim_start();
    if text
        .get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case("AGE-SECRET-KEY-"))
    {
        "it is an identity, which opens sealed originals and must stay secret"
    } else if text.starts_with("ssh-")
        || text
            .strip_prefix("age1")
            .is_some_and(|rest| rest.contains('1'))
    {
        // Bech32 data has no `1`, so another one ends the name of another kind: `age1pq1...`, a plugin's.
        "only X25519 recipients are supported"
    } else {
        "it is not an X25519 recipient (`age1...`), or mistyped"
    }
}
