//! The time and the random numbers that a policy sees through WASI.

use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::Request;

/// The time and the random numbers of one call. Both follow from the request, so that the same request always gets the
/// same answer.
#[derive(Debug, Clone)]
pub(crate) struct CallContext {
    milliseconds: u64,
    seed: String,
    blocks: u64,
    configuring: bool,
}

impl CallContext {
    /// The context of a call that has no request.
    pub(crate) fn without_request() -> Self {
        Self {
            milliseconds: 0,
            seed: String::new(),
            blocks: 0,
            configuring: false,
        }
    }

    /// The context of `configure`, after which a snapshot is taken.
    pub(crate) fn of_configuration() -> Self {
        Self {
            configuring: true,
            ..Self::without_request()
        }
    }

    /// The context of a call with `request`.
    pub(crate) fn of(request: &Request) -> Self {
        let milliseconds = u64::try_from(request.received_at.as_millisecond()).unwrap_or_default();
        Self {
            milliseconds,
            seed: request.id.to_string(),
            ..Self::without_request()
        }
    }

    /// When the request was received, in milliseconds since the Unix epoch.
    pub(crate) fn milliseconds(&self) -> u64 {
        self.milliseconds
    }

    /// Whether a snapshot is taken after this call. Instances made from it would lack what is opened now.
    pub(crate) fn is_configuring(&self) -> bool {
        self.configuring
    }

    /// The next random number.
    pub(crate) fn number(&mut self) -> u64 {
        self.block()
            .first_chunk()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .unwrap_or_default()
    }

    /// The next `length` random bytes.
    pub(crate) fn bytes(&mut self, length: u64) -> Vec<u8> {
        let length = usize::try_from(length).unwrap_or_default();
        let mut bytes = Vec::with_capacity(length.saturating_add(32));
        while bytes.len() < length {
            bytes.extend_from_slice(&self.block());
        }
        bytes.truncate(length);
        bytes
    }

    /// The next 32 bytes: SHA-256 of the seed and a counter.
    fn block(&mut self) -> [u8; 32] {
        self.blocks = self.blocks.saturating_add(1);
        let block = digest(&SHA256, format!("{} {}", self.seed, self.blocks).as_bytes());
        block.as_ref().try_into().unwrap_or_default()
    }
}
