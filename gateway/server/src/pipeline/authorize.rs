//! The stage that asks the authorizers whether the request is allowed.

use std::sync::Arc;

use gateway_policy::Policies;

use super::resolve::Resolved;
use super::{Notes, Pipeline};
use crate::{Error, verdicts};

/// A request that at least one policy allows and none denies, and the generation of policies that decided it.
pub(super) struct Authorized {
    resolved: Resolved,
    policies: Arc<Policies>,
}

impl Authorized {
    pub(super) fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// The generation that plans the redaction, too: no request meets two.
    pub(super) fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.policies)
    }
}

impl Pipeline {
    pub(super) async fn authorize(
        &self,
        resolved: Resolved,
        notes: &mut Notes,
    ) -> Result<Authorized, Error> {
        let policies = self.policies.current();
        let (asked, request) = (Arc::clone(&policies), resolved.request().clone());
        verdicts::authorize(asked, request, &self.metrics, &mut notes.verdicts).await?;
        Ok(Authorized { resolved, policies })
    }
}
