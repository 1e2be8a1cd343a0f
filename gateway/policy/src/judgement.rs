use gateway_core::{Action, Difference, PlanRecord, Request, Verdict};

use crate::set::{Policies, decide};

/// What policies come to about one request: what a record tells of it, or what others would say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What each of them says. A redactor has no opinion, unless it fails.
    pub verdicts: Vec<Verdict>,
    /// What they want hidden in a checkpoint that they permit.
    pub plan: PlanRecord,
}

impl Judgement {
    /// Whether the request may go on.
    pub fn allows(&self) -> bool {
        decide(&self.verdicts).is_ok()
    }

    /// How `other` differs from it in what comes of the request; who says it, and how, is the same to the caller.
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        match (self.allows(), other.allows()) {
            (false, true) => Some(Difference::NowAllowed),
            (true, false) => Some(Difference::NowDenied),
            (true, true) if self.plan.sha256 != other.plan.sha256 => Some(Difference::PlanChanged),
            _ => None,
        }
    }

    /// Whether a policy ran out of time. That says more of the machine than of the policy.
    pub fn is_timed_out(&self) -> bool {
        self.verdicts.iter().any(|verdict| {
            matches!(&verdict.decision, gateway_core::Decision::Deny(denial) if denial.code == "policy-deadline")
        })
    }
}

impl Policies {
    /// Asks all that are bound to `request`, as the gateway does: redactors where it is a checkpoint that is permitted.
    pub fn judge(&self, request: &Request) -> Judgement {
        let mut judgement = Judgement {
            verdicts: self.authorize(request),
            plan: PlanRecord::default(),
        };
        if request.action == Action::Create && judgement.allows() {
            let planning = self.redact(request);
            judgement.verdicts.extend(planning.asked);
            // Whoever failed has denied.
            judgement.plan = planning
                .plan
                .as_ref()
                .map(crate::record)
                .unwrap_or_default();
        }
        judgement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::{Decision, Denial};

    fn judged(decision: Decision, plan: &str) -> Judgement {
        let plan = PlanRecord {
            sha256: plan.to_owned(),
            ..PlanRecord::default()
        };
        Judgement {
            verdicts: vec![Verdict::of("p", decision)],
            plan,
        }
    }

    #[test]
    fn what_comes_of_a_request_is_compared_and_not_who_says_it() {
        let denial = |code: &str| {
            Decision::Deny(Denial {
                code: code.into(),
                message: String::new(),
            })
        };
        let (allowed, denied) = (judged(Decision::Allow, ""), judged(denial("no"), ""));
        assert_eq!(allowed.difference(&denied), Some(Difference::NowDenied));
        assert_eq!(denied.difference(&allowed), Some(Difference::NowAllowed));
        assert_eq!(
            denied.difference(&judged(denial("never"), "x")),
            None,
            "denied is denied"
        );
        assert_eq!(
            allowed.difference(&judged(Decision::Allow, "x")),
            Some(Difference::PlanChanged)
        );
        assert_eq!(allowed.difference(&allowed), None);
        assert!(judged(denial("policy-deadline"), "").is_timed_out() && !denied.is_timed_out());
    }
}
