//! The facts about a checkpoint request that its outcome needs, however it ends.

use gateway_core::{Plan, PlanRecord, Request, Verdict};
use gateway_policy::Evaluation;

use crate::masked_request::MaskedFields;

/// The facts collected so far.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) verdicts: Vec<Verdict>,
    /// The request that policies got.
    pub(crate) request: Option<Request>,
    /// The plan of the redactors.
    pub(crate) plan: Option<Plan>,
    /// What is masked in the intent, once it is written. It holds the request already.
    pub(crate) intent: Option<MaskedFields>,
}

impl Notes {
    /// The plan as records show it.
    pub(crate) fn plan_record(&self) -> PlanRecord {
        let plan = self.plan.as_ref().map(gateway_policy::record);
        plan.unwrap_or_default()
    }

    /// The request and the decision, for the shadow policies; `None` where policies did not decide to the end.
    pub(super) fn evaluation(&self) -> Option<(&Request, Evaluation)> {
        let evaluation = Evaluation {
            verdicts: self.verdicts.clone(),
            plan: self.plan_record(),
        };
        let request = self.request.as_ref()?;
        // An allowed request without a plan stopped before all policies had answered.
        (self.plan.is_some() || !evaluation.allows()).then_some((request, evaluation))
    }
}
