//! A connection that a fault can abort.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

/// A client's connection that a call can abort, like a runtime that dies during the call.
pub(crate) struct Connection {
    stream: UnixStream,
    abort: Abort,
    aborted: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Aborts the connection of a request; tonic adds it to the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Abort(CancellationToken);

impl Connection {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let token = CancellationToken::new();
        Self {
            stream,
            aborted: Box::pin(token.clone().cancelled_owned()),
            abort: Abort(token),
        }
    }

    /// Fails once the connection is aborted; otherwise the abort wakes the calling task.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.aborted.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl Abort {
    pub(crate) fn now(&self) {
        self.0.cancel();
    }
}

impl Connected for Connection {
    type ConnectInfo = Abort;

    fn connect_info(&self) -> Abort {
        self.abort.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
