//! A receiver of traces: OTLP over gRPC and over HTTP, on ports of its own, keeping every span.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;

use super::in_time;

/// A span, and the service that it is of.
#[derive(Debug, Clone)]
pub struct Seen {
    pub service: String,
    pub span: Span,
}

impl Seen {
    /// An attribute as text; empty where it is missing.
    pub fn attribute(&self, key: &str) -> String {
        let value = self.span.attributes.iter().find(|attribute| attribute.key == key);
        match value.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
            Some(AnyValue::StringValue(text)) => text.clone(),
            Some(AnyValue::IntValue(number)) => number.to_string(),
            Some(other) => format!("{other:?}"),
            None => String::new(),
        }
    }

    pub fn trace_id(&self) -> String {
        hex(&self.span.trace_id)
    }

    pub fn is_below(&self, parent: &Self) -> bool {
        self.span.trace_id == parent.span.trace_id && self.span.parent_span_id == parent.span.span_id
    }
}

/// A running receiver.
pub struct Receiver {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    spans: Store,
    count: watch::Receiver<usize>,
}

#[derive(Clone)]
struct Store {
    spans: Arc<Mutex<Vec<Seen>>>,
    count: watch::Sender<usize>,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// One whose HTTP side listens at `http`.
    pub async fn start_at(http: SocketAddr) -> Self {
        let (sender, count) = watch::channel(0);
        let store = Store { spans: Arc::default(), count: sender };
        let http_listener = TcpListener::bind(http).await.unwrap();
        let grpc_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (http, grpc) = (http_listener.local_addr().unwrap(), grpc_listener.local_addr().unwrap());
        tokio::task::spawn(serve_http(http_listener, store.clone()));
        let service = TraceServiceServer::new(store.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::task::spawn(server.serve_with_incoming(TcpListenerStream::new(grpc_listener)));
        Self { grpc, http, spans: store, count }
    }

    /// Every span so far.
    pub fn spans(&self) -> Vec<Seen> {
        self.spans.spans.lock().unwrap().clone()
    }

    /// The spans, as soon as `enough` says that they are.
    pub async fn wait(&self, enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut count = self.count.clone();
        let waited = tokio::time::timeout(std::time::Duration::from_secs(90), async {
            while !enough(&self.spans()) {
                count.changed().await.unwrap();
            }
        });
        let names = || self.spans().iter().map(|seen| seen.span.name.clone()).collect::<Vec<_>>();
        waited.await.unwrap_or_else(|_| panic!("not the spans that were waited for: {:?}", names()));
        in_time(async { self.spans() }).await
    }
}

impl Store {
    fn keep(&self, request: ExportTraceServiceRequest) {
        let mut spans = self.spans.lock().unwrap();
        for resource in request.resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let service = attributes.into_iter().find(|attribute| attribute.key == "service.name");
            let service = match service.and_then(|attribute| attribute.value?.value) {
                Some(AnyValue::StringValue(name)) => name,
                _ => String::new(),
            };
            let received = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(received.map(|span| Seen { service: service.clone(), span }));
        }
        self.count.send_replace(spans.len());
    }
}

#[tonic::async_trait]
impl TraceService for Store {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.keep(request.into_inner());
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn serve_http(listener: TcpListener, store: Store) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let store = store.clone();
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let store = store.clone();
            async move {
                let wanted = request.uri().path() == "/v1/traces";
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let decoded = ExportTraceServiceRequest::decode(body);
                let mut response = Response::new(Full::new(Bytes::new()));
                match decoded {
                    Ok(decoded) if wanted => store.keep(decoded),
                    _ => *response.status_mut() = StatusCode::BAD_REQUEST,
                }
                Ok::<_, Infallible>(response)
            }
        });
        tokio::task::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// An id as it is written.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
