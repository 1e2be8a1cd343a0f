//! The gateway's metrics, in the format of OpenMetrics.

use std::time::Duration;

use gateway_policy::Policies;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{ExportCounts, Exports};

/// The end of a request. Every value is from a closed set, so no caller can add series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// `create`, `whoami`, `openapi`, or empty if unknown.
    pub action: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The error's stable code; empty on success.
    pub code: &'static str,
}

/// A policy's answer. Names are from the configuration, the rest from closed sets, so no caller can add series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    policy: String,
    verdict: &'static str,
    code: String,
}

/// The difference of shadow policies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ShadowLabels {
    result: &'static str,
}

/// The gateway's metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histogram,
    checkpoint_seconds: Histogram,
    checkpoint_bytes: Counter,
    verdicts: Family<VerdictLabels, Counter>,
    policy_seconds: Histogram,
    policies_broken: Gauge,
    policy_generation: Gauge,
    shadow: Family<ShadowLabels, Counter>,
    pub(crate) shadow_dropped: Counter,
    pub(crate) reloads_rejected: Counter,
    pub(crate) checkpoints_running: Gauge,
    pub(crate) connections: Gauge,
    pub(crate) handshakes_failed: Counter,
    pub(crate) audit_failures: Counter,
    pub(crate) audit_suppressed: Counter,
    pub(crate) checkpoints_removed: Counter,
}

/// Reads the counts of exports when metrics are encoded.
#[derive(Debug)]
struct Exported(Exports);

impl Metrics {
    /// All metrics at zero.
    pub fn new(exports: Exports) -> Self {
        let metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            request_seconds: Histogram::new(seconds()),
            checkpoint_seconds: Histogram::new(seconds()),
            checkpoint_bytes: Counter::default(),
            verdicts: Family::default(),
            policy_seconds: Histogram::new(milliseconds()),
            policies_broken: Gauge::default(),
            policy_generation: Gauge::default(),
            shadow: Family::default(),
            shadow_dropped: Counter::default(),
            reloads_rejected: Counter::default(),
            checkpoints_running: Gauge::default(),
            connections: Gauge::default(),
            handshakes_failed: Counter::default(),
            audit_failures: Counter::default(),
            audit_suppressed: Counter::default(),
            checkpoints_removed: Counter::default(),
        };
        metrics.registered(exports)
    }

    fn registered(mut self, exports: Exports) -> Self {
        let mut registry = Registry::with_prefix("checkpoint_gateway");
        self.register_requests(&mut registry);
        self.register_connections_and_audit(&mut registry);
        self.register_policies(&mut registry);
        registry.register_collector(Box::new(Exported(exports)));
        self.registry = registry;
        self
    }

    fn register_requests(&self, to: &mut Registry) {
        to.register(
            "requests",
            "Requests by action, status and code",
            self.requests.clone(),
        );
        let help = "Time from a request's arrival to its answer";
        to.register_with_unit(
            "request_duration",
            help,
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        let help = "Time from the call of the runtime to the published archive";
        to.register_with_unit(
            "checkpoint_duration",
            help,
            Unit::Seconds,
            self.checkpoint_seconds.clone(),
        );
        let help = "Bytes of published archives";
        to.register_with_unit(
            "checkpoint_written",
            help,
            Unit::Bytes,
            self.checkpoint_bytes.clone(),
        );
        to.register(
            "checkpoints_running",
            "Running checkpoints",
            self.checkpoints_running.clone(),
        );
        let help = "Checkpoints removed by age or quota";
        to.register(
            "checkpoints_removed",
            help,
            self.checkpoints_removed.clone(),
        );
    }

    fn register_connections_and_audit(&self, to: &mut Registry) {
        to.register("connections", "Open connections", self.connections.clone());
        to.register(
            "tls_handshakes_failed",
            "Failed TLS handshakes",
            self.handshakes_failed.clone(),
        );
        to.register(
            "audit_failures",
            "Audit records that could not be written",
            self.audit_failures.clone(),
        );
        let help = "Unauthenticated requests whose audit records were dropped by the rate limit";
        to.register("audit_suppressed", help, self.audit_suppressed.clone());
    }

    fn register_policies(&self, to: &mut Registry) {
        to.register(
            "policy_verdicts",
            "Answers of policies; code names the failure, if any",
            self.verdicts.clone(),
        );
        let help = "Time of one policy's answer, the wait for a slot included";
        to.register_with_unit(
            "policy_duration",
            help,
            Unit::Seconds,
            self.policy_seconds.clone(),
        );
        to.register(
            "policies_broken",
            "Policies that could not be loaded",
            self.policies_broken.clone(),
        );
        to.register(
            "policy_generation",
            "Generation of the active policies",
            self.policy_generation.clone(),
        );
        let help = "Requests that shadow policies were asked about, by difference";
        to.register("shadow_requests", help, self.shadow.clone());
        let help = "Requests that shadow policies were not asked about because too many waited";
        to.register("shadow_dropped", help, self.shadow_dropped.clone());
        to.register(
            "reloads_rejected",
            "Rejected reloads",
            self.reloads_rejected.clone(),
        );
    }

    pub(crate) fn request(&self, labels: &RequestLabels, took: Duration) {
        self.requests.get_or_create(labels).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn verdict(
        &self,
        policy: &str,
        verdict: &'static str,
        code: &str,
        microseconds: u64,
    ) {
        let labels = VerdictLabels {
            policy: policy.to_owned(),
            verdict,
            code: code.to_owned(),
        };
        self.verdicts.get_or_create(&labels).inc();
        self.policy_seconds
            .observe(Duration::from_micros(microseconds).as_secs_f64());
    }

    /// Counts a request that shadow policies were asked about; `result` is from a closed set.
    pub(crate) fn shadow(&self, result: &'static str) {
        self.shadow.get_or_create(&ShadowLabels { result }).inc();
    }

    pub(crate) fn policies(&self, policies: &Policies) {
        self.policies_broken
            .set(i64::try_from(policies.broken().count()).unwrap_or(i64::MAX));
        self.policy_generation
            .set(i64::try_from(policies.generation()).unwrap_or(i64::MAX));
    }

    pub(crate) fn checkpoint(&self, bytes: u64, took: Duration) {
        self.checkpoint_bytes.inc_by(bytes);
        self.checkpoint_seconds.observe(took.as_secs_f64());
    }

    /// All metrics as OpenMetrics text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

impl Collector for Exported {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Exports { spans, audit_log } = &self.0;
        let help = ("Spans accepted by the receiver", "Dropped spans, by reason");
        exported(&mut encoder, ("spans_sent", "spans_dropped"), help, spans)?;
        let help = (
            "Audit records accepted by the OTLP receiver",
            "Audit records that the OTLP receiver did not get, by reason; the log has them",
        );
        exported(
            &mut encoder,
            ("audit_logs_sent", "audit_logs_dropped"),
            help,
            audit_log,
        )
    }
}

fn exported(
    encoder: &mut DescriptorEncoder<'_>,
    (sent, dropped): (&str, &str),
    (taken, lost): (&str, &str),
    counts: &ExportCounts,
) -> Result<(), std::fmt::Error> {
    let count = ConstCounter::new(counts.sent());
    count.encode(encoder.encode_descriptor(sent, taken, None, count.metric_type())?)?;
    let mut family = encoder.encode_descriptor(dropped, lost, None, count.metric_type())?;
    for (reason, count) in [
        ("queue-full", counts.queue_full()),
        ("export-failed", counts.export_failed()),
    ] {
        let labels = [("reason", reason)];
        ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

/// From a small policy to a long deadline: 10 us to 1 s.
fn milliseconds() -> impl Iterator<Item = f64> {
    [
        0.00001, 0.000_025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05,
        0.25, 1.0,
    ]
    .into_iter()
}

/// From a look-up to a very large container: 5 ms to 20 min.
fn seconds() -> impl Iterator<Item = f64> {
    [
        0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1200.0,
    ]
    .into_iter()
}
