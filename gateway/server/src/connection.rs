//! Connections: how many, how long, how large, all bounded, with a real timer behind each bound.

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
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{Limits, seconds};
use crate::reply::Body;

/// How many calls one HTTP/2 connection may have open.
const STREAMS: u32 = 64;
/// How long a peer may take to answer an HTTP/2 ping.
const PING: Duration = Duration::from_secs(20);

/// The version of HTTP that was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Serves one connection until its peer goes, it has been idle for too long, or `stop`; calls that are under way then
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
    let (calls, under_way) = watch::channel(0_usize);
    let calls = Arc::new(calls);
    let service = service_fn(|request| {
        let call = Call::begin(&calls);
        let answered = answer(request);
        async move {
            let _call = call;
            Ok::<_, Infallible>(answered.await)
        }
    });
    let idle = seconds(limits.idle_seconds);
    let finish = async {
        tokio::select! {
            () = quiet(under_way.clone(), idle) => {}
            () = stop.cancelled() => {}
        }
    };
    // Nobody who takes no bytes keeps a connection open after its last call.
    let linger = quiet(under_way.clone(), seconds(limits.header_seconds));
    // A connection's error is its peer's affair: it went away or broke the protocol, and hyper has told it so.
    match protocol {
        Protocol::Http1 => {
            let mut connection = pin!(http1(limits).serve_connection(io, service));
            tokio::select! {
                _ = connection.as_mut() => return,
                () = finish => connection.as_mut().graceful_shutdown(),
            }
            tokio::select! { _ = connection => {}, () = linger => {} }
        }
        Protocol::Http2 => {
            let mut connection = pin!(http2(limits).serve_connection(io, service));
            tokio::select! {
                _ = connection.as_mut() => return,
                () = finish => connection.as_mut().graceful_shutdown(),
            }
            tokio::select! { _ = connection => {}, () = linger => {} }
        }
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

/// Ends when no call has been under way for `time`.
async fn quiet(mut under_way: watch::Receiver<usize>, time: Duration) {
    while under_way.wait_for(|calls| *calls == 0).await.is_ok() {
        tokio::select! {
            _ = under_way.changed() => {}
            () = tokio::time::sleep(time) => return,
        }
    }
}

/// A call under way on a connection.
struct Call(Arc<watch::Sender<usize>>);

impl Call {
    fn begin(calls: &Arc<watch::Sender<usize>>) -> Self {
        calls.send_modify(|calls| *calls = calls.saturating_add(1));
        Self(Arc::clone(calls))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls = calls.saturating_sub(1));
    }
}
