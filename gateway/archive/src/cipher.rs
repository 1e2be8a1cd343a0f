//! ChaCha20-Poly1305 (RFC 8439), with which age seals its chunks, by the gateway's cryptographic provider.

use std::io;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
/// Bytes of a nonce.
pub(crate) const NONCE: usize = 12;
/// Bytes that a tag adds to the text.
pub(crate) const TAG: usize = 16;

/// Seals with one key.
#[derive(Debug)]
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY]) -> io::Result<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(failed)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals `plain` into `sealed`, which is longer by the tag. No nonce may be used twice.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE],
        plain: &[u8],
        sealed: &mut [u8],
    ) -> io::Result<()> {
        let parts = sealed
            .split_at_mut_checked(plain.len())
            .filter(|(_, tag)| tag.len() == TAG);
        let (text, tag) = parts.ok_or(io::ErrorKind::InvalidInput)?;
        text.copy_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let made = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::empty(), text)
            .map_err(failed)?;
        tag.copy_from_slice(made.as_ref());
        Ok(())
    }
}

fn failed(_: Unspecified) -> io::Error {
    io::Error::other("the cryptographic provider failed")
}
