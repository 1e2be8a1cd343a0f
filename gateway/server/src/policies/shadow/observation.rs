//! A request that shadow policies are asked about.

use gateway_core::Request;
use gateway_policy::Evaluation;

use crate::hidden_fields::HiddenFields;
use crate::request_ids::RequestIds;

/// A request, and how the active policies decided it.
#[derive(Debug)]
pub(super) struct ShadowObservation {
    pub(super) ids: RequestIds,
    pub(super) hidden: HiddenFields,
    pub(super) request: Request,
    pub(super) decided: Evaluation,
}
