use std::{fmt, io};

use ::openssl::cipher::Cipher as Kind;
use ::openssl::cipher_ctx::CipherCtx;
use ::openssl::error::ErrorStack;
use fearless_simd::{Avx512, Level, kernel};

use super::{KEY, NONCE};

/// OpenSSL.
pub(crate) struct Cipher {
    cx: CipherCtx,
    cpu: Option<Avx512>,
}

impl Cipher {
    /// `None` on a CPU without AVX-512.
    pub(super) fn new(key: &[u8; KEY]) -> io::Result<Option<Self>> {
        Level::new()
            .as_avx512()
            .map(|cpu| Self::on(Some(cpu), key))
            .transpose()
    }

    /// On any CPU.
    pub(super) fn on(cpu: Option<Avx512>, key: &[u8; KEY]) -> io::Result<Self> {
        let mut cx = CipherCtx::new().map_err(failed)?;
        cx.encrypt_init(Some(Kind::chacha20_poly1305()), Some(key), None)
            .map_err(failed)?;
        Ok(Self { cx, cpu })
    }

    /// `text` is as long as `plain`.
    pub(super) fn seal(
        &mut self,
        nonce: [u8; NONCE],
        plain: &[u8],
        text: &mut [u8],
        tag: &mut [u8],
    ) -> io::Result<()> {
        let sealed = self.write(&nonce, plain, text, tag);
        if let Some(cpu) = self.cpu {
            clear(cpu);
        }
        sealed.map_err(failed)
    }

    fn write(
        &mut self,
        nonce: &[u8],
        plain: &[u8],
        text: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), ErrorStack> {
        self.cx.encrypt_init(None, None, Some(nonce))?;
        self.cx.cipher_update(plain, Some(text))?;
        self.cx.cipher_final(&mut [])?;
        self.cx.tag(tag)
    }
}

kernel!(
    /// OpenSSL's Poly1305 leaves something in the upper halves of the vector registers, and until they are cleared, SHA-256
    /// on this thread takes a sixth more time.
    fn clear(_cpu: Avx512) {
        std::arch::x86_64::_mm256_zeroupper();
    }
);

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(..)")
    }
}

fn failed(error: ErrorStack) -> io::Error {
    io::Error::other(error)
}
