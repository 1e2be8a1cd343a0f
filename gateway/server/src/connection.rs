//! One HTTP connection: bounded in time, in headers and in concurrent calls, and shut down gracefully.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{Limits, seconds};
use crate::reply::Body;

/// How many calls one HTTP/2 connection may have open.
const STREAMS: u32 = 64;
/// How often an HTTP/2 peer is pinged, and how long it may take to answer.
const PING: Duration = Duration::from_secs(20);

/// The version of HTTP that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Serves one connection until its peer closes it, it has been idle for too long, or `stop`. Calls that are running by then
/// still get their answers.
pub(crate) async fn serve<F>(
    io: impl Read + Write + Unpin + 'static,
    protocol: Protocol,
    limits: &Limits,
    stop: &CancellationToken,
    answer: impl Fn(Request<Incoming>) -> F,
) where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let calls = Calls::default();
    let service = service_fn(|request| {
        let call = calls.begin();
        let answered = answer(request);
        async move {
            let _call = call;
            Ok::<_, Infallible>(answered.await)
        }
    });
    match protocol {
        Protocol::Http1 => {
            let connection = http1(limits).serve_connection(io, service);
            run(connection, &calls, limits, stop).await;
        }
        Protocol::Http2 => {
            let connection = http2(limits).serve_connection(io, service);
            run(connection, &calls, limits, stop).await;
        }
    }
}

/// Polls `connection` to its end. Each has a shutdown of its own, since each becomes idle at another time.
async fn run(
    connection: impl GracefulConnection,
    calls: &Calls,
    limits: &Limits,
    stop: &CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let connection = pin!(graceful.watch(connection));
    let end = async {
        tokio::select! {
            () = calls.idle_for(seconds(limits.idle_seconds)) => {}
            () = stop.cancelled() => {}
        }
        tokio::select! {
            () = graceful.shutdown() => {}
            // A peer that reads no more does not keep the connection open after its last call.
            () = calls.idle_for(seconds(limits.header_seconds)) => {}
        }
    };
    // An error concerns the peer alone: it has gone or broken the protocol, and hyper has told it.
    tokio::select! {
        _ = connection => {}
        () = end => {}
    }
}

fn http1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    builder.header_read_timeout(seconds(limits.header_seconds));
    builder.max_buf_size((limits.header_bytes as usize).max(8192)); // hyper's own minimum
    builder
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new());
    builder.max_header_list_size(limits.header_bytes);
    builder.max_concurrent_streams(STREAMS);
    builder.keep_alive_interval(PING);
    builder.keep_alive_timeout(PING);
    builder
}

/// The number of calls that are running on a connection.
#[derive(Default)]
struct Calls(Arc<watch::Sender<usize>>);

/// A running call.
struct Call(Arc<watch::Sender<usize>>);

impl Calls {
    fn begin(&self) -> Call {
        self.0.send_modify(|calls| *calls = calls.saturating_add(1));
        Call(Arc::clone(&self.0))
    }

    /// Returns once no call has been running for `time`.
    async fn idle_for(&self, time: Duration) {
        let mut running = self.0.subscribe();
        while running.wait_for(|calls| *calls == 0).await.is_ok() {
            tokio::select! {
                _ = running.changed() => {}
                () = tokio::time::sleep(time) => return,
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls = calls.saturating_sub(1));
    }
}
