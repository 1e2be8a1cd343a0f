//! ChaCha20-Poly1305 (RFC 8439), which age seals its chunks with. OpenSSL does it in half the provider's time where the CPU
//! has AVX-512, and in more of it elsewhere; so each is used where it is the faster one.

use std::io;

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
/// Bytes of a nonce.
pub(crate) const NONCE: usize = 12;
/// Bytes that a tag adds to what is sealed.
pub(crate) const TAG: usize = 16;

#[cfg(all(feature = "openssl", target_arch = "x86_64"))]
mod openssl;
mod provider;

/// Seals with one key.
#[derive(Debug)]
pub(crate) enum Cipher {
    Provider(provider::Cipher),
    #[cfg(all(feature = "openssl", target_arch = "x86_64"))]
    OpenSsl(openssl::Cipher),
}

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY]) -> io::Result<Self> {
        #[cfg(all(feature = "openssl", target_arch = "x86_64"))]
        if let Some(cipher) = openssl::Cipher::new(key)? {
            return Ok(Self::OpenSsl(cipher));
        }
        provider::Cipher::new(key).map(Self::Provider)
    }

    /// Seals `plain` into `sealed`, which is longer by the tag. No nonce may come twice.
    pub(crate) fn seal(
        &mut self,
        nonce: [u8; NONCE],
        plain: &[u8],
        sealed: &mut [u8],
    ) -> io::Result<()> {
        let parts = sealed
            .split_at_mut_checked(plain.len())
            .filter(|(_, tag)| tag.len() == TAG);
        let (text, tag) = parts.ok_or(io::ErrorKind::InvalidInput)?;
        match self {
            Self::Provider(cipher) => cipher.seal(nonce, plain, text, tag),
            #[cfg(all(feature = "openssl", target_arch = "x86_64"))]
            Self::OpenSsl(cipher) => cipher.seal(nonce, plain, text, tag),
        }
    }
}

#[cfg(all(test, feature = "openssl", target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn openssl_seals_as_the_provider_does() {
        let mut ours = Cipher::OpenSsl(openssl::Cipher::on(None, &[7; KEY]).unwrap());
        let mut theirs = Cipher::Provider(provider::Cipher::new(&[7; KEY]).unwrap());
        for (number, length) in (0..).zip([0, 1, 15, 16, 17, 4095, 64 << 10]) {
            let nonce = [number; NONCE];
            let plain = vec![number; length];
            let (mut one, mut other) = (vec![0; length + TAG], vec![0; length + TAG]);
            ours.seal(nonce, &plain, &mut one).unwrap();
            theirs.seal(nonce, &plain, &mut other).unwrap();
            assert!(ours.seal(nonce, &plain, &mut one[1..]).is_err());
            assert!(
                one == other && (length == 0 || one[..length] != plain),
                "{length} bytes"
            );
        }
    }
}
