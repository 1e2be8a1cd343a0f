//! The fields that the kinds of audit records have in common.

use gateway_core::{
    Action, CheckpointId, Event, HiddenField, Outcome, PlanRecord, Record, RemovalReason,
    RequestRecord, Target, Verdict,
};

/// The common fields of a record, as far as its kind has them.
#[derive(Default)]
pub(super) struct RecordView<'a> {
    pub(super) action: Option<Action>,
    pub(super) user: Option<&'a str>,
    pub(super) target: Option<&'a Target>,
    pub(super) verdicts: &'a [Verdict],
    pub(super) plan: Option<&'a PlanRecord>,
    pub(super) checkpoint_id: Option<CheckpointId>,
    pub(super) request: Option<&'a RequestRecord>,
    /// The fields that the record leaves out.
    pub(super) hidden: &'a [HiddenField],
    /// The fields in which the record masks something that policies got.
    pub(super) masked: &'a [String],
    pub(super) outcome: Option<&'a Outcome>,
    /// Anything else in a word or two: an error code, a reason, a digest.
    pub(super) detail: &'a str,
}

impl<'a> RecordView<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        match &record.event {
            Event::Intent {
                action,
                user,
                target,
                verdicts,
                plan,
                checkpoint_id,
                request,
                masked,
                ..
            } => Self {
                action: Some(*action),
                user: user.as_deref(),
                target: Some(target),
                verdicts,
                plan: Some(plan),
                checkpoint_id: Some(*checkpoint_id),
                request: request.as_ref(),
                hidden: &plan.hide,
                masked,
                ..Self::default()
            },
            Event::Outcome(outcome) => Self::of_outcome(outcome),
            Event::Removed {
                reason,
                checkpoint_id,
                target,
                ..
            } => Self {
                target: Some(target),
                checkpoint_id: Some(*checkpoint_id),
                detail: removal(*reason),
                ..Self::default()
            },
            Event::Shadow {
                difference,
                action,
                target,
                verdicts,
                plan,
            } => Self {
                action: Some(*action),
                target: Some(target),
                verdicts,
                plan: Some(plan),
                detail: difference.as_str(),
                ..Self::default()
            },
            Event::Head(head) => Self::of_log(&head.root),
            Event::Key(key) => Self::of_log(&key.key),
            Event::KeyRemoved(removal) => Self::of_log(&removal.previous),
            Event::Segment(_) => Self::default(),
        }
    }

    /// A record that the log writes about itself.
    fn of_log(detail: &'a str) -> Self {
        Self {
            detail,
            ..Self::default()
        }
    }

    fn of_outcome(outcome: &'a Outcome) -> Self {
        Self {
            action: outcome.action,
            user: outcome.user.as_deref(),
            target: outcome.target.as_ref(),
            verdicts: &outcome.verdicts,
            plan: Some(&outcome.plan),
            checkpoint_id: outcome.checkpoint_id,
            request: outcome.request.as_ref(),
            hidden: &outcome.hidden,
            masked: &outcome.masked,
            outcome: Some(outcome),
            detail: outcome.code.as_deref().unwrap_or_default(),
        }
    }

    /// The policies' decision, if any policy was asked.
    pub(super) fn allowed(&self) -> Option<bool> {
        (!self.verdicts.is_empty()).then(|| gateway_policy::decide(self.verdicts).is_ok())
    }
}

fn removal(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Age => "too old",
        RemovalReason::Quota => "quota",
    }
}
