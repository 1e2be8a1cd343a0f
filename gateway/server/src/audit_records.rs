//! Makes the audit records of a request: its intent and its outcome.

use gateway_core::{CheckpointId, Event, Outcome, PlanRecord, Request, Verdict};

use crate::Error;
use crate::masked_request::MaskedFields;
use crate::request_context::RequestContext;
use crate::visible_request::VisibleRequest;

/// The longest error message that a record keeps, in bytes.
const MESSAGE_MAX: usize = 1024;

/// The fields that every outcome of a request has.
pub(crate) fn outcome(context: &RequestContext, visible: &VisibleRequest) -> Outcome {
    Outcome {
        action: context.action(),
        user: visible.user.clone(),
        groups: visible.groups.clone(),
        credential: visible.credential,
        issuer: visible.issuer.clone(),
        source_address: visible.source_address,
        reason: visible.reason.clone(),
        target: context.target().cloned(),
        checkpoint_id: context.checkpoint_id(),
        hidden: visible.hidden.clone(),
        masked: Vec::from_iter(visible.masks_reason.then(|| "reason".to_owned())),
        duration_us: u64::try_from(context.elapsed().as_micros()).unwrap_or(u64::MAX),
        ..Outcome::default()
    }
}

/// The same for a request that ended with an error.
pub(crate) fn failed(context: &RequestContext, visible: &VisibleRequest, error: &Error) -> Outcome {
    let answer = error.answer();
    Outcome {
        status: answer.status.as_u16(),
        code: Some(answer.code.to_owned()),
        message: Some(gateway_core::one_line(
            &visible.text(&error.to_string()),
            MESSAGE_MAX,
        )),
        findings: visible.findings(error.findings()),
        ..outcome(context, visible)
    }
}

/// The intent of a request that policies have allowed. Fields in which something is masked are added to `masked`.
pub(crate) fn intent(
    request: &Request,
    visible: &VisibleRequest,
    verdicts: &[Verdict],
    plan: PlanRecord,
    checkpoint_id: CheckpointId,
    masked: &mut MaskedFields,
) -> Event {
    let verdicts = visible.verdicts(verdicts, masked);
    let record = visible.record(request, masked);
    let identity = &request.identity;
    Event::Intent {
        action: request.action,
        user: visible.user.clone(),
        groups: visible.groups.clone(),
        credential: identity.credential,
        issuer: identity.issuer.clone(),
        source_address: visible.source_address,
        reason: visible.reason.clone(),
        target: request.target.target.clone(),
        container_id: request.target.id.clone(),
        verdicts,
        plan,
        checkpoint_id,
        request: Some(record),
        masked: masked.names(),
    }
}
