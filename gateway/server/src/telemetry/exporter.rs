//! Exports spans in batches from a bounded queue.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::ExportCounts;

/// The most finished spans that wait to be sent.
const WAITING: usize = 4096;

/// Exports spans from a bounded queue, and counts those that do not arrive. The SDK's own processor bounds its queue, too, but does
/// not report dropped spans, so the bound is here.
#[derive(Debug)]
pub(super) struct Bounded {
    inner: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    counts: Arc<ExportCounts>,
}

impl Bounded {
    pub(super) fn new<E: SpanExporter + 'static>(exporter: E, counts: Arc<ExportCounts>) -> Self {
        let waiting = Arc::<AtomicUsize>::default();
        let counting = Counting {
            inner: Arc::new(exporter),
            waiting: Arc::clone(&waiting),
            counts: Arc::clone(&counts),
            runtime: Handle::current(),
            exports: TaskTracker::new(),
        };
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_max_export_batch_size(512)
            .with_scheduled_delay(Duration::from_secs(1))
            .build();
        let inner = BatchSpanProcessor::builder(counting)
            .with_batch_config(batches)
            .build();
        Self {
            inner,
            waiting,
            counts,
        }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.drop_one();
        } else {
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// The batch processor calls this from a thread of its own, without a Tokio runtime for the exporters' timers and sockets. So each
/// export runs as a task on our runtime.
struct Counting<E> {
    inner: Arc<E>,
    waiting: Arc<AtomicUsize>,
    counts: Arc<ExportCounts>,
    runtime: Handle,
    exports: TaskTracker,
}

impl<E> fmt::Debug for Counting<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counting")
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl<E: SpanExporter + 'static> SpanExporter for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        let inner = Arc::clone(&self.inner);
        let export = self
            .exports
            .spawn_on(async move { inner.export(batch).await }, &self.runtime)
            .await;
        let result =
            export.unwrap_or_else(|lost| Err(OTelSdkError::InternalFailure(lost.to_string())));
        self.counts.exported(count, result.is_ok());
        result
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Called once, before the first export, while nobody else holds the exporter.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.set_resource(resource);
        }
    }
}
