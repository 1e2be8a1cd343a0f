//! The transport of archives: the configured choice, and whether this runtime refuses FIFOs.

use std::sync::atomic::{AtomicBool, Ordering};

use gateway_core::Transport;
use serde::{Deserialize, Serialize};

/// The way by which runtimes hand archives over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportChoice {
    /// Through a FIFO, until [`crate::Store::remember_refusal`] reports that this runtime refuses FIFOs.
    #[default]
    Auto,
    /// Always through a FIFO.
    Fifo,
    /// Always through a private temporary file.
    File,
}

/// The configured choice, and whether the runtime has refused a FIFO since the start.
#[derive(Debug)]
pub(crate) struct TransportState {
    choice: TransportChoice,
    refused: AtomicBool,
}

impl TransportState {
    pub(crate) fn new(choice: TransportChoice) -> Self {
        Self {
            choice,
            refused: AtomicBool::new(false),
        }
    }

    /// The transport of the next archive.
    pub(crate) fn next(&self) -> Transport {
        match self.choice {
            TransportChoice::Auto if self.refused.load(Ordering::Relaxed) => Transport::File,
            TransportChoice::Auto | TransportChoice::Fifo => Transport::Fifo,
            TransportChoice::File => Transport::File,
        }
    }

    pub(crate) fn remember_refusal(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }
}
