//! The options that select records of an audit log.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use gateway_core::{Action, CheckpointId, ParseIdError, Record, RequestId, Target, TraceId};
use jiff::Timestamp;

use super::record_view::RecordView;
use super::time;

/// Selects records that match every option given.
#[derive(Args, Default)]
#[command(next_help_heading = "Filter")]
pub(super) struct Filter {
    /// Requests of this user.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Requests for this namespace.
    #[arg(long, value_name = "NAME")]
    pub(super) namespace: Option<String>,
    /// Requests for this pod.
    #[arg(long, value_name = "NAME")]
    pub(super) pod: Option<String>,
    /// Requests for this container.
    #[arg(long, value_name = "NAME")]
    pub(super) container: Option<String>,
    /// Requests for this action.
    #[arg(long, value_parser = actions())]
    action: Option<Action>,
    /// Requests with this decision of the policies.
    #[arg(long, value_enum)]
    verdict: Option<Verdict>,
    /// Requests that ended with this error code.
    #[arg(long, value_name = "CODE")]
    pub(super) code: Option<String>,
    /// Records from this time on: 2026-03-01T10:00:00Z, 2026-03-01 (UTC), or a duration before now such as 90s, 15m, 2h, 7d.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    since: Option<Timestamp>,
    /// Records before this time.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    until: Option<Timestamp>,
    /// Records of this request.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(RequestId))]
    request_id: Option<RequestId>,
    /// Records of this trace.
    #[arg(long, value_name = "ID", value_parser = trace_id)]
    trace_id: Option<TraceId>,
    /// Records about this checkpoint.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(CheckpointId))]
    checkpoint: Option<CheckpointId>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verdict {
    Allow,
    Deny,
}

impl Filter {
    pub(super) fn matches(&self, record: &Record) -> bool {
        let view = RecordView::of(record);
        self.matches_times_and_ids(record, &view)
            && self.matches_names(&view)
            && equal(self.action.as_ref(), view.action.as_ref())
            && self
                .verdict
                .is_none_or(|verdict| view.allowed() == Some(verdict == Verdict::Allow))
    }

    fn matches_times_and_ids(&self, record: &Record, view: &RecordView<'_>) -> bool {
        self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
            && equal(self.request_id.as_ref(), Some(&record.request_id))
            && equal(self.trace_id.as_ref(), record.trace_id.as_ref())
            && equal(self.checkpoint.as_ref(), view.checkpoint_id.as_ref())
    }

    fn matches_names(&self, view: &RecordView<'_>) -> bool {
        let code = view.outcome.and_then(|outcome| outcome.code.as_deref());
        equal(self.user.as_deref(), view.user)
            && equal(
                self.namespace.as_deref(),
                view.target.map(Target::namespace),
            )
            && equal(self.pod.as_deref(), view.target.map(Target::pod))
            && equal(
                self.container.as_deref(),
                view.target.map(Target::container),
            )
            && equal(self.code.as_deref(), code)
    }
}

/// Whether the value is the wanted one; where none is wanted, every value is.
fn equal<T: PartialEq + ?Sized>(wanted: Option<&T>, found: Option<&T>) -> bool {
    wanted.is_none() || wanted == found
}

fn actions() -> impl TypedValueParser<Value = Action> {
    PossibleValuesParser::new(Action::ALL.map(Action::as_str)).try_map(|word| {
        Action::ALL
            .into_iter()
            .find(|action| action.as_str() == word)
            .ok_or("unknown action")
    })
}

fn trace_id(text: &str) -> Result<TraceId, ParseIdError> {
    text.to_owned().try_into()
}
