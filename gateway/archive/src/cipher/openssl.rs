use std::{fmt, io};

use ::openssl::cipher::Cipher as Kind;
use ::openssl::cipher_ctx::CipherCtx;
use ::openssl::error::ErrorStack;

use super::{KEY, NONCE, TAG};

/// Seals with one key.
pub(crate) struct Cipher(CipherCtx);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY]) -> io::Result<Self> {
        let mut cx = CipherCtx::new().map_err(failed)?;
        cx.encrypt_init(Some(Kind::chacha20_poly1305()), Some(key), None).map_err(failed)?;
        Ok(Self(cx))
    }

    /// Seals `text` in place and adds its tag. No nonce may come twice.
    pub(crate) fn seal(&mut self, nonce: [u8; NONCE], text: &mut Vec<u8>) -> io::Result<()> {
        let mut tag = [0; TAG];
        self.write(&nonce, text, &mut tag).map_err(failed)?;
        text.extend(tag);
        Ok(())
    }

    fn write(&mut self, nonce: &[u8], text: &mut [u8], tag: &mut [u8]) -> Result<(), ErrorStack> {
        let length = text.len();
        self.0.encrypt_init(None, None, Some(nonce))?;
        self.0.cipher_update_inplace(text, length)?;
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
