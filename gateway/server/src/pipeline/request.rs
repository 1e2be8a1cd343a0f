//! The input of the pipeline: a checkpoint that a caller asks for.

use std::sync::Arc;

use gateway_core::{CheckpointId, Target};
use tokio::sync::Notify;

use crate::authn::Caller;
use crate::request_context::RequestContext;

/// A checkpoint that a verified caller asks for.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointRequest {
    pub(crate) context: RequestContext,
    /// The proof that the caller is verified.
    pub(crate) caller: Caller,
    /// The id that the checkpoint will have.
    pub(crate) checkpoint_id: CheckpointId,
    pub(crate) target: Target,
    /// The caller's `timeout`.
    pub(crate) timeout_seconds: Option<u32>,
    /// Notified once all checks have passed, for a caller who does not wait for the end.
    pub(crate) accepted: Option<Arc<Notify>>,
}
