//! ChaCha20-Poly1305 (RFC 8439), which age seals its chunks with. The provider that all else uses does it too; OpenSSL (the
//! feature `openssl`) does it in half the time where the CPU has AVX-512.

use std::io;

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
/// Bytes of a nonce.
pub(crate) const NONCE: usize = 12;
/// Bytes that a tag adds to what is sealed.
pub(crate) const TAG: usize = 16;

#[cfg(feature = "openssl")]
mod openssl;
#[cfg(any(test, not(feature = "openssl")))]
mod provider;

#[cfg(feature = "openssl")]
pub(crate) use openssl::Cipher;
#[cfg(not(feature = "openssl"))]
pub(crate) use provider::Cipher;

/// The parts of `sealed` for the text, which is as long as `plain`, and for the tag.
fn room<'s>(plain: &[u8], sealed: &'s mut [u8]) -> io::Result<(&'s mut [u8], &'s mut [u8])> {
    let parts = sealed.split_at_mut_checked(plain.len()).filter(|(_, tag)| tag.len() == TAG);
    parts.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

#[cfg(all(test, feature = "openssl"))]
mod tests {
    use super::*;

    #[test]
    fn both_seal_alike() {
        let (mut ours, mut theirs) =
            (Cipher::new(&[7; KEY]).unwrap(), provider::Cipher::new(&[7; KEY]).unwrap());
        for (number, length) in (0..).zip([0, 1, 15, 16, 17, 4095, 64 << 10]) {
            let nonce = [number; NONCE];
            let plain = vec![number; length];
            let (mut one, mut other) = (vec![0; length + TAG], vec![0; length + TAG]);
            ours.seal(nonce, &plain, &mut one).unwrap();
            theirs.seal(nonce, &plain, &mut other).unwrap();
            assert!(ours.seal(nonce, &plain, &mut one[1..]).is_err());
            assert!(one == other && (length == 0 || one[..length] != plain), "{length} bytes");
        }
    }
}
