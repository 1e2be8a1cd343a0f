use std::io;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;

use super::{KEY, NONCE};

/// What TLS and the digests use, too.
#[derive(Debug)]
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(super) fn new(key: &[u8; KEY]) -> io::Result<Self> {
        UnboundKey::new(&CHACHA20_POLY1305, key)
            .map(LessSafeKey::new)
            .map(Self)
            .map_err(failed)
    }

    /// `text` is as long as `plain`.
    pub(super) fn seal(
        &self,
        nonce: [u8; NONCE],
        plain: &[u8],
        text: &mut [u8],
        tag: &mut [u8],
    ) -> io::Result<()> {
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
