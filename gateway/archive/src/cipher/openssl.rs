use std::{fmt, io};

use ::openssl::cipher::Cipher as Kind;
use ::openssl::cipher_ctx::CipherCtx;
use ::openssl::error::ErrorStack;

use super::{KEY, NONCE, room};

/// Seals with one key.
pub(crate) struct Cipher(CipherCtx);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY]) -> io::Result<Self> {
        let mut cx = CipherCtx::new().map_err(failed)?;
        cx.encrypt_init(Some(Kind::chacha20_poly1305()), Some(key), None).map_err(failed)?;
        Ok(Self(cx))
    }

    /// Seals `plain` into `sealed`, which is longer by the tag. No nonce may come twice.
    pub(crate) fn seal(&mut self, nonce: [u8; NONCE], plain: &[u8], sealed: &mut [u8]) -> io::Result<()> {
        let (text, tag) = room(plain, sealed)?;
        self.write(&nonce, plain, text, tag).map_err(failed)
    }

    fn write(
        &mut self,
        nonce: &[u8],
        plain: &[u8],
        text: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), ErrorStack> {
        self.0.encrypt_init(None, None, Some(nonce))?;
        self.0.cipher_update(plain, Some(text))?;
        self.0.cipher_final(&mut [])?;
        self.0.tag(tag)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(..)")
    }
}

fn failed(error: ErrorStack) -> io::Error {
    io::Error::other(error)
}
