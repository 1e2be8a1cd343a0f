use std::fmt;
use std::sync::Arc;

use age::x25519;

use crate::Error;

/// How many may open a sealed original: each costs a line at its beginning and some microseconds.
const MAX_RECIPIENTS: usize = 64;

/// What becomes of the archive as the runtime wrote it, where a redaction applies. Where none does, the published archive
/// is the original.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KeepOriginal {
    /// It never is a file.
    #[default]
    No,
    /// It is kept beside the redacted archive, encrypted in the same pass (`age-encryption.org/v1`): not even the gateway
    /// can read it again.
    Sealed(Recipients),
    /// It is kept beside the redacted archive as it is, with every secret in it.
    Plaintext,
}

/// Who can open what is sealed: age's X25519 recipients, one or more.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipients(Arc<[x25519::Recipient]>);

impl KeepOriginal {
    /// How many files of an archive's size one checkpoint may make.
    pub(crate) fn files(&self) -> u64 {
        match self {
            Self::No => 1,
            Self::Sealed(_) | Self::Plaintext => 2,
        }
    }
}

impl Recipients {
    /// Reads recipients as `age-keygen` prints them (`age1...`).
    ///
    /// # Errors
    /// [`Error::BadRecipient`] names the one that is none by its position; it never repeats it, since it may be a key that
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
                reason: what_is_wrong_with(text),
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// How many there are.
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

fn what_is_wrong_with(text: &str) -> &'static str {
    let text = text.trim_start();
    if text
        .get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case("AGE-SECRET-KEY-"))
    {
        "it is an identity, which opens what is sealed and must stay secret"
    } else if text.starts_with("ssh-")
        || text
            .strip_prefix("age1")
            .is_some_and(|rest| rest.contains('1'))
    {
        // Bech32 data has no `1`, so another one ends the name of another kind: `age1pq1...`, a plugin's.
        "only X25519 recipients are taken"
    } else {
        "it is no X25519 recipient (`age1...`), or mistyped"
    }
}
