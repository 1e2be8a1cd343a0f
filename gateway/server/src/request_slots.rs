//! Bounds how many requests are served at once.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// The slots for requests on the main listener.
#[derive(Debug)]
pub(crate) struct RequestSlots(Arc<Semaphore>);

/// One slot, shared by all that goes on for a request; free again when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct RequestSlot {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl RequestSlots {
    pub(crate) fn new(requests: NonZeroUsize) -> Self {
        Self(Arc::new(Semaphore::new(requests.get())))
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// [`Error::Overloaded`] at once where none is free.
    pub(crate) fn acquire(&self) -> Result<RequestSlot, Error> {
        let permit = Arc::clone(&self.0).try_acquire_owned();
        let permit = permit.map_err(|_| Error::Overloaded)?;
        Ok(RequestSlot {
            _permit: Arc::new(permit),
        })
    }
}
