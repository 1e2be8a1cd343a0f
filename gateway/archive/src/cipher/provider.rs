use std::io;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;

use super::{KEY, NONCE};

/// Seals with one key.
#[derive(Debug)]
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY]) -> io::Result<Self> {
        UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).map(Self).map_err(failed)
    }

    /// Seals `text` in place and adds its tag. No nonce may come twice.
    pub(crate) fn seal(&mut self, nonce: [u8; NONCE], text: &mut Vec<u8>) -> io::Result<()> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(nonce, Aad::empty(), text).map_err(failed)
    }
}

fn failed(_: Unspecified) -> io::Error {
    io::Error::other("the cryptographic provider failed")
}
