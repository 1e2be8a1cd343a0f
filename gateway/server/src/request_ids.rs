//! The ids of one request, which its answer, its trace and all its records carry.

use gateway_core::{RequestId, TraceId};
use tracing::Span;
use uuid::Uuid;

use crate::telemetry;

/// The ids of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestIds {
    pub(crate) request_id: RequestId,
    /// Absent where the request is not traced.
    pub(crate) trace_id: Option<TraceId>,
}

impl RequestIds {
    /// A fresh request id, and the trace of `span`.
    pub(crate) fn new(span: &Span) -> Self {
        Self {
            request_id: RequestId::from(Uuid::now_v7()),
            trace_id: telemetry::trace_id(span),
        }
    }

    /// A fresh request id for work that no caller asked for.
    pub(crate) fn without_trace() -> Self {
        Self {
            request_id: RequestId::from(Uuid::now_v7()),
            trace_id: None,
        }
    }
}
