//! The outcome of all policies for one request, and its comparison with another one.

use gateway_core::{Decision, Denial, Difference, PlanRecord, Verdict};

/// The code of a denial for lack of time.
const DEADLINE: &str = "policy-deadline";

/// The verdicts and the redaction plan for one request, from a record or from policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// The verdict of each policy. A redactor abstains, unless it fails.
    pub verdicts: Vec<Verdict>,
    /// The redaction plan of a checkpoint that is allowed.
    pub plan: PlanRecord,
}

impl Evaluation {
    /// Whether the request is allowed.
    pub fn allows(&self) -> bool {
        decide(&self.verdicts).is_ok()
    }

    /// The difference in the outcome of the request, from `self` to `other`. Differences between verdicts that lead to the same
    /// outcome do not count.
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        match (self.allows(), other.allows()) {
            (false, true) => Some(Difference::NowAllowed),
            (true, false) => Some(Difference::NowDenied),
            (true, true) if self.plan.sha256 != other.plan.sha256 => Some(Difference::PlanChanged),
            _ => None,
        }
    }

    /// Whether a policy exceeded its deadline. This depends on the machine more than on the policy.
    pub fn is_timed_out(&self) -> bool {
        self.verdicts.iter().any(|verdict| {
            matches!(&verdict.decision, Decision::Deny(denial) if denial.code == DEADLINE)
        })
    }
}

/// The decision that follows from all `verdicts` that are enforced: the first denial, else an allow if there is one, else a
/// denial because no policy allows the request.
///
/// # Errors
/// The denial, and the name of the policy that denies; the name is empty if no policy allows the request.
pub fn decide(verdicts: &[Verdict]) -> Result<(), (String, Denial)> {
    let enforced = || verdicts.iter().filter(|verdict| !verdict.monitored);
    let denial = enforced().find_map(|verdict| match &verdict.decision {
        Decision::Deny(denial) => Some((verdict.policy.clone(), denial.clone())),
        Decision::Allow | Decision::Abstain => None,
    });
    match denial {
        Some(denial) => Err(denial),
        None if enforced().any(|verdict| verdict.decision == Decision::Allow) => Ok(()),
        None => Err((
            String::new(),
            Denial {
                code: "no-policy-allows".into(),
                message: "no policy allows this request".into(),
            },
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(code: &str) -> Decision {
        Decision::Deny(Denial {
            code: code.into(),
            message: String::new(),
        })
    }

    fn evaluation(decision: Decision, plan: &str) -> Evaluation {
        let plan = PlanRecord {
            sha256: plan.to_owned(),
            ..PlanRecord::default()
        };
        Evaluation {
            verdicts: vec![Verdict::of("p", decision)],
            plan,
        }
    }

    #[test]
    fn only_a_changed_outcome_is_a_difference() {
        let allowed = evaluation(Decision::Allow, "");
        let denied = evaluation(denial("no"), "");
        assert_eq!(allowed.difference(&denied), Some(Difference::NowDenied));
        assert_eq!(denied.difference(&allowed), Some(Difference::NowAllowed));
        assert_eq!(
            denied.difference(&evaluation(denial("never"), "x")),
            None,
            "both are denied"
        );
        assert_eq!(
            allowed.difference(&evaluation(Decision::Allow, "x")),
            Some(Difference::PlanChanged)
        );
        assert_eq!(allowed.difference(&allowed), None);
    }

    #[test]
    fn a_denial_by_deadline_is_a_timeout() {
        assert!(evaluation(denial("policy-deadline"), "").is_timed_out());
        assert!(!evaluation(denial("no"), "").is_timed_out());
    }

    #[test]
    fn denies_if_no_policy_has_an_opinion() {
        for verdicts in [vec![], vec![Verdict::of("a", Decision::Abstain)]] {
            assert_eq!(decide(&verdicts).unwrap_err().1.code, "no-policy-allows");
        }
    }

    #[test]
    fn one_allow_suffices_and_one_denial_overrides_it() {
        let verdicts = [
            Verdict::of("a", Decision::Abstain),
            Verdict::of("b", Decision::Allow),
        ];
        assert_eq!(decide(&verdicts), Ok(()));
        let verdicts = [
            Verdict::of("a", Decision::Allow),
            Verdict::of("b", denial("no")),
            Verdict::of("c", denial("never")),
        ];
        let (policy, why) = decide(&verdicts).unwrap_err();
        assert_eq!((policy.as_str(), why.code.as_str()), ("b", "no"));
    }

    #[test]
    fn monitored_verdicts_have_no_effect() {
        let monitored = |decision| Verdict {
            monitored: true,
            ..Verdict::of("m", decision)
        };
        assert_eq!(
            decide(&[Verdict::of("a", Decision::Allow), monitored(denial("no"))]),
            Ok(())
        );
        assert!(decide(&[monitored(Decision::Allow)]).is_err());
    }
}
