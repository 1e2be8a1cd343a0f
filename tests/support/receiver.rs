//! A receiver of traces and logs: OTLP over gRPC and over HTTP, on ports of its own, keeping every span and every log.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
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
        attribute(&self.span.attributes, key)
    }

    pub fn trace_id(&self) -> String {
        hex(&self.span.trace_id)
    }

    pub fn is_below(&self, parent: &Self) -> bool {
        self.span.trace_id == parent.span.trace_id
            && self.span.parent_span_id == parent.span.span_id
    }
}

/// A log, and the service that it is of.
#[derive(Debug, Clone)]
pub struct SeenLog {
    pub service: String,
    pub log: LogRecord,
}

impl SeenLog {
    /// An attribute as text; empty where it is missing.
    pub fn attribute(&self, key: &str) -> String {
        attribute(&self.log.attributes, key)
    }

    /// The body, which is text.
    pub fn body(&self) -> &str {
        match self.log.body.as_ref().and_then(|body| body.value.as_ref()) {
            Some(AnyValue::StringValue(text)) => text,
            other => panic!("no text: {other:?}"),
        }
    }
}

fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let value = attributes.iter().find(|attribute| attribute.key == key);
    match value.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(AnyValue::StringValue(text)) => text.clone(),
        Some(AnyValue::IntValue(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn service(resource: Option<Resource>) -> String {
    attribute(&resource.unwrap_or_default().attributes, "service.name")
}

/// A running receiver.
pub struct Receiver {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    store: Store,
    count: watch::Receiver<usize>,
}

#[derive(Clone)]
struct Store {
    spans: Arc<Mutex<Vec<Seen>>>,
    logs: Arc<Mutex<Vec<SeenLog>>>,
    count: watch::Sender<usize>,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// One whose HTTP side listens at `http`.
    pub async fn start_at(http: SocketAddr) -> Self {
        let (sender, count) = watch::channel(0);
        let store = Store {
            spans: Arc::default(),
            logs: Arc::default(),
            count: sender,
        };
        let http_listener = TcpListener::bind(http).await.unwrap();
        let grpc_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (http, grpc) = (
            http_listener.local_addr().unwrap(),
            grpc_listener.local_addr().unwrap(),
        );
        tokio::task::spawn(serve_http(http_listener, store.clone()));
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(store.clone()))
            .add_service(LogsServiceServer::new(store.clone()));
        tokio::task::spawn(server.serve_with_incoming(TcpListenerStream::new(grpc_listener)));
        Self {
            grpc,
            http,
            store,
            count,
        }
    }

    /// Every span so far.
    pub fn spans(&self) -> Vec<Seen> {
        self.store.spans.lock().unwrap().clone()
    }

    /// Every log so far.
    pub fn logs(&self) -> Vec<SeenLog> {
        self.store.logs.lock().unwrap().clone()
    }

    /// The first so many logs, as soon as they are there.
    pub async fn wait_for_logs(&self, least: usize) -> Vec<SeenLog> {
        let mut count = self.count.clone();
        in_time(async {
            while self.logs().len() < least {
                count.changed().await.unwrap();
            }
        })
        .await;
        self.logs()
    }

    /// The spans, as soon as `enough` says that they are.
    pub async fn wait(&self, enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut count = self.count.clone();
        let waited = tokio::time::timeout(std::time::Duration::from_secs(90), async {
            while !enough(&self.spans()) {
                count.changed().await.unwrap();
            }
        });
        let names = || {
            self.spans()
                .iter()
                .map(|seen| seen.span.name.clone())
                .collect::<Vec<_>>()
        };
        waited
            .await
            .unwrap_or_else(|_| panic!("not the spans that were waited for: {:?}", names()));
        in_time(async { self.spans() }).await
    }
}

impl Store {
    fn keep(&self, request: ExportTraceServiceRequest) {
        for resource in request.resource_spans {
            let service = service(resource.resource);
            let received = resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans);
            let received = received.map(|span| Seen {
                service: service.clone(),
                span,
            });
            self.spans.lock().unwrap().extend(received);
        }
        self.count.send_modify(|count| *count += 1);
    }

    fn keep_logs(&self, request: ExportLogsServiceRequest) {
        for resource in request.resource_logs {
            let service = service(resource.resource);
            let received = resource
                .scope_logs
                .into_iter()
                .flat_map(|scope| scope.log_records);
            let received = received.map(|log| SeenLog {
                service: service.clone(),
                log,
            });
            self.logs.lock().unwrap().extend(received);
        }
        self.count.send_modify(|count| *count += 1);
    }

    /// What came over HTTP; whether it was something.
    fn keep_posted(&self, path: &str, body: Bytes) -> bool {
        match path {
            "/v1/traces" => ExportTraceServiceRequest::decode(body)
                .map(|request| self.keep(request))
                .is_ok(),
            "/v1/logs" => ExportLogsServiceRequest::decode(body)
                .map(|request| self.keep_logs(request))
                .is_ok(),
            _ => false,
        }
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

#[tonic::async_trait]
impl LogsService for Store {
    async fn export(
        &self,
        request: tonic::Request<ExportLogsServiceRequest>,
    ) -> Result<tonic::Response<ExportLogsServiceResponse>, tonic::Status> {
        self.keep_logs(request.into_inner());
        Ok(tonic::Response::new(ExportLogsServiceResponse::default()))
    }
}

async fn serve_http(listener: TcpListener, store: Store) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let store = store.clone();
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let store = store.clone();
            async move {
                let path = request.uri().path().to_owned();
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let mut response = Response::new(Full::new(Bytes::new()));
                if !store.keep_posted(&path, body) {
                    *response.status_mut() = StatusCode::BAD_REQUEST;
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
