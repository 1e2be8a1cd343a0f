//! ChaCha20-Poly1305 (RFC 8439), which age seals its chunks with. The provider that all else uses does it too; OpenSSL (the
//! feature `openssl`) does it in half the time where the CPU has AVX-512.

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

#[cfg(all(test, feature = "openssl"))]
mod tests {
    use super::*;

    #[test]
    fn both_seal_alike() {
        let (mut ours, mut theirs) =
            (Cipher::new(&[7; KEY]).unwrap(), provider::Cipher::new(&[7; KEY]).unwrap());
        for (number, length) in [0, 1, 15, 16, 17, 4095, 64 << 10].into_iter().enumerate() {
            let nonce = [u8::try_from(number).unwrap(); NONCE];
            let (mut one, mut other) = (vec![number as u8; length], vec![number as u8; length]);
            ours.seal(nonce, &mut one).unwrap();
            theirs.seal(nonce, &mut other).unwrap();
            assert!(one == other && one.len() == length + TAG, "{length} bytes");
        }
    }
}
