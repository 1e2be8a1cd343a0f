//! The transport of archives: the configured choice, and whether this runtime refuses FIFOs.

use std::sync::atomic::{AtomicBool, Ordering};

use gateway_core::{RuntimeInfo, Transport};
use serde::{Deserialize, Serialize};

/// The way by which runtimes hand archives over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportChoice {
    /// Through a FIFO, until [`crate::Store::remember_refusal`] reports that this runtime refuses FIFOs; into a spool where
    /// the runtime keeps the container paused while it writes.
    #[default]
    Auto,
    /// Always through a FIFO.
    Fifo,
    /// Always through a FIFO, and into a spool if the archive is redacted.
    Spool,
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
    pub(crate) fn next(&self, runtime: &RuntimeInfo) -> Transport {
        match self.choice {
            TransportChoice::Auto if self.refused.load(Ordering::Relaxed) => Transport::File,
            TransportChoice::Auto if pauses_while_writing(runtime) => Transport::Spool,
            TransportChoice::Auto | TransportChoice::Fifo => Transport::Fifo,
            TransportChoice::Spool => Transport::Spool,
            TransportChoice::File => Transport::File,
        }
    }

    pub(crate) fn remember_refusal(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }
}

/// Whether the runtime keeps the container paused until its archive is written. containerd lets it go on before.
fn pauses_while_writing(runtime: &RuntimeInfo) -> bool {
    runtime.name.eq_ignore_ascii_case("cri-o")
}
