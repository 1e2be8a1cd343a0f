//! The key of one spool: AES-256-GCM (NIST SP 800-38D) by the gateway's cryptographic provider. It is never stored.

use std::io;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

/// Bytes that a tag adds to a record.
pub(crate) const TAG: usize = 16;

/// Bytes of a key.
const KEY: usize = 32;

/// Seals and opens the records of one spool.
#[derive(Debug)]
pub(crate) struct SpoolKey(LessSafeKey);

impl SpoolKey {
    pub(crate) fn random() -> io::Result<Self> {
        let mut bytes = [0; KEY];
        rand::fill(&mut bytes).map_err(failed)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(failed)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals record `number`, whose last bytes are for the tag. No number may be sealed twice.
    pub(crate) fn seal(&self, number: u64, record: &mut [u8]) -> io::Result<()> {
        let parts = record.len().checked_sub(TAG);
        let (text, end) = parts
            .and_then(|length| record.split_at_mut_checked(length))
            .ok_or(io::ErrorKind::InvalidInput)?;
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce(number), Aad::empty(), text)
            .map_err(failed)?;
        end.copy_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens record `number`, which shrinks by the tag.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where it is not what was sealed under that number.
    pub(crate) fn open(&self, number: u64, record: &mut Vec<u8>) -> io::Result<()> {
        let opened = self.0.open_in_place(nonce(number), Aad::empty(), record);
        let length = opened.map_err(|_| altered())?.len();
        record.truncate(length);
        Ok(())
    }
}

/// The record's number: the key is of one spool, so no nonce is used twice.
fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce
        .iter_mut()
        .skip(NONCE_LEN - size_of::<u64>())
        .zip(number.to_be_bytes())
        .for_each(|(to, byte)| *to = byte);
    Nonce::assume_unique_for_key(nonce)
}

fn altered() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the spool was changed on the disk",
    )
}

fn failed(_: Unspecified) -> io::Error {
    io::Error::other("the cryptographic provider failed")
}
