//! Prints where the time of a capture goes, from its trace.

use super::Receiver;
use super::receiver::Seen;

/// Prints the steps of a capture, from the call of the runtime on.
pub async fn print(receiver: &Receiver, trace: &str) {
    let of_trace = |seen: &&Seen| seen.trace_id() == trace && seen.service == "checkpoint-gateway";
    let named = |spans: &[Seen], name: &str| {
        let found = spans.iter().filter(of_trace);
        found.clone().find(|seen| seen.span.name == name).cloned()
    };
    let spans = receiver
        .wait(|spans| named(spans, "archive").is_some())
        .await;
    let call = named(&spans, "cri").expect("a call");
    let archive = named(&spans, "archive").expect("an archive");
    let start = call.span.start_time_unix_nano;
    let seconds =
        |time: u64| std::time::Duration::from_nanos(time.saturating_sub(start)).as_secs_f64();
    let is_step = |seen: &&Seen| seen.is_below(&archive);
    let mut shown: Vec<_> = spans
        .iter()
        .filter(is_step)
        .chain([&call, &archive])
        .collect();
    shown.sort_by_key(|seen| seen.span.start_time_unix_nano);
    for seen in shown {
        let (begun, ended) = (seen.span.start_time_unix_nano, seen.span.end_time_unix_nano);
        eprintln!(
            "    {:8} {:8} {:6.3} s to {:6.3} s, busy {:.5}",
            seen.span.name,
            seen.attribute("checkpoint_gateway.step.file"),
            seconds(begun),
            seconds(ended),
            seen.attribute("checkpoint_gateway.step.busy_seconds"),
        );
    }
}
