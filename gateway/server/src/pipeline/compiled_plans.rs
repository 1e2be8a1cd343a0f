//! Plans that were compiled for earlier requests, so that no request with the same plan waits for it.

use std::collections::HashMap;
use std::sync::Arc;

use gateway_core::Plan;
use gateway_redact::{CompiledPlan, Error, RedactionSettings};
use parking_lot::Mutex;

/// The most plans. Redactors seldom answer with more than a few.
const MAX: usize = 64;

/// Compiled plans by their digests.
pub(super) struct CompiledPlans {
    settings: RedactionSettings,
    plans: Mutex<HashMap<String, Arc<CompiledPlan>>>,
}

impl CompiledPlans {
    pub(super) fn new(settings: RedactionSettings) -> Self {
        Self {
            settings,
            plans: Mutex::default(),
        }
    }

    /// The compiled `plan`. Compiles where it is new.
    ///
    /// # Errors
    /// If it cannot be carried out.
    pub(super) fn of(&self, plan: &Plan) -> Result<Arc<CompiledPlan>, Error> {
        let digest = gateway_policy::record(plan).sha256;
        if let Some(known) = self.plans.lock().get(&digest) {
            return Ok(Arc::clone(known));
        }
        let compiled = Arc::new(CompiledPlan::new(plan.clone(), self.settings.clone())?);
        let mut plans = self.plans.lock();
        if plans.len() >= MAX {
            plans.clear();
        }
        plans.insert(digest, Arc::clone(&compiled));
        Ok(compiled)
    }
}
