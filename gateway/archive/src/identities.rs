//! The identities that open sealed originals.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use age::secrecy::{ExposeSecret, SecretString};
use age::x25519;

use crate::UnsealError;

/// The largest identity file that is read, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// The keys that open sealed originals: age's X25519 identities, one or more. Their `Debug` shows no key.
pub struct Identities(Vec<x25519::Identity>);

impl Identities {
    /// Reads an identity file as `age-keygen` writes it: one identity a line; blank lines and lines that begin with `#` are
    /// skipped.
    pub fn read(path: &Path) -> Result<Self, UnsealError> {
        let file = File::open(path).map_err(UnsealError::io("open", path))?;
        let too_large = UnsealError::IdentityFile { max: MAX_FILE };
        // Allocated at once: a growing string would leave copies of keys in freed memory.
        let mut text = String::with_capacity(usize::try_from(MAX_FILE).unwrap_or_default() + 1);
        let read = file.take(MAX_FILE + 1).read_to_string(&mut text);
        let text = SecretString::from(text);
        match read {
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(too_large),
            Ok(length) if length as u64 > MAX_FILE => Err(too_large),
            read => read
                .map_err(UnsealError::io("read", path))
                .and_then(|_| Self::parse(text.expose_secret())),
        }
    }

    /// Reads the text of an identity file.
    pub fn parse(text: &str) -> Result<Self, UnsealError> {
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let parsed = lines.map(|(at, line)| {
            line.parse()
                .map_err(|_| UnsealError::BadIdentity { line: at + 1 })
        });
        match parsed.collect::<Result<Vec<_>, _>>()? {
            none if none.is_empty() => Err(UnsealError::NoIdentity),
            identities => Ok(Self(identities)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}
