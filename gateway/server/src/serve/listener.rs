//! A TCP listener with a bounded number of open connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How long to wait after a connection could not be accepted.
const RETRY: Duration = Duration::from_millis(50);

/// A listener that accepts a connection once there is a slot for it; more wait in the kernel's queue.
pub(super) struct Listener {
    tcp: TcpListener,
    slots: Arc<Semaphore>,
}

/// An accepted connection, with its slot.
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) slot: OwnedSemaphorePermit,
}

impl Listener {
    /// Listens on `address`, with at most `connections` open at once.
    pub(super) async fn bind(address: SocketAddr, connections: usize) -> std::io::Result<Self> {
        Ok(Self {
            tcp: TcpListener::bind(address).await?,
            slots: Arc::new(Semaphore::new(connections)),
        })
    }

    pub(super) fn address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The next connection, or `None` once `stop` is cancelled.
    pub(super) async fn next(&self, stop: &CancellationToken) -> Option<Accepted> {
        tokio::select! {
            () = stop.cancelled() => None,
            accepted = self.accept() => accepted,
        }
    }

    async fn accept(&self) -> Option<Accepted> {
        // The semaphore is never closed.
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        loop {
            match self.tcp.accept().await {
                Ok((stream, peer)) => return Some(Accepted { stream, peer, slot }),
                // Too many open files, or the peer has gone: the next attempt may succeed.
                Err(error) => {
                    debug!(%error, "cannot accept a connection; will retry");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
