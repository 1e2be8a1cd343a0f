use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

/// A client's connection, which a call on it can cut: that is how a runtime looks that dies in the middle of a call.
pub(crate) struct Connection {
    stream: UnixStream,
    cut: Cut,
    when_cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Cuts the connection that a request came by; tonic adds it to the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Cut(CancellationToken);

impl Connection {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let cut = CancellationToken::new();
        Self {
            stream,
            when_cut: Box::pin(cut.clone().cancelled_owned()),
            cut: Cut(cut),
        }
    }

    /// An error once the connection is cut; else whoever cuts it wakes the task that asks.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.when_cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl Cut {
    pub(crate) fn now(&self) {
        self.0.cancel();
    }
}

impl Connected for Connection {
    type ConnectInfo = Cut;

    fn connect_info(&self) -> Cut {
        self.cut.clone()
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
