use std::io;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;

use super::{KEY, NONCE, room};

/// Seals with one key.
#[derive(Debug)]
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY]) -> io::Result<Self> {
        UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).map(Self).map_err(failed)
    }

    /// Seals `plain` into `sealed`, which is longer by the tag. No nonce may come twice.
    pub(crate) fn seal(&mut self, nonce: [u8; NONCE], plain: &[u8], sealed: &mut [u8]) -> io::Result<()> {
        let (text, tag) = room(plain, sealed)?;
        text.copy_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let made = self.0.seal_in_place_separate_tag(nonce, Aad::empty(), text).map_err(failed)?;
        tag.copy_from_slice(made.as_ref());
        Ok(())
    }
}

fn failed(_: Unspecified) -> io::Error {
    io::Error::other("the cryptographic provider failed")
}
