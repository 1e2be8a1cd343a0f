//! Prints the demo's results as a walk-through.

use std::fmt::Display;

use gateway_core::{Decision, Event, Outcome, Record, Transport, Verdict};
use indicatif::BinaryBytes;

use super::archive::Archive;
use super::check::Check;
use super::client::Answer;
use super::stage::{self, Stage};
use super::{Round, tree, workload};
use crate::output::print;
use crate::style::{BAD, BOLD, DIM, GOOD, styled};
use crate::table::{Table, plain};

/// The indentation of lines below a heading.
const INDENT: &str = "   ";

/// Prints everything.
pub(super) fn round(stage: &Stage, round: &Round, checks: &[Check], once: bool) {
    print(format_args!(
        "A checkpoint contains the memory of a process, with every secret in it. This demo runs a gateway in front of\n\
         checkpoints, with a small container runtime and a pod whose process has a {}.",
        workload::SECRET
    ));
    answer(
        "1. alice asks for a checkpoint; the allow list names her",
        &round.alice,
    );
    answer(
        "2. mallory asks with a token that is just as valid; the allow list does not name them",
        &round.mallory,
    );
    answer(
        "3. A client certificate is accepted, too: the gateway's view of this caller",
        &round.responder,
    );
    heading("4. Alice's archive");
    match &round.archive {
        Ok(found) => archive(found),
        Err(error) => line(styled(BAD, &format!("{error:#}"))),
    }
    heading("5. The audit log");
    match &round.audit {
        Ok(log) => log.iter().for_each(record),
        Err(error) => line(styled(BAD, &format!("{error:#}"))),
    }
    heading("6. The trace of alice's request");
    let trace_id = round.alice.trace_id.as_deref();
    line(format_args!(
        "trace_id {}",
        trace_id.unwrap_or("is missing")
    ));
    tree::print_tree(&round.trace, INDENT.len());
    heading("Checks");
    checks.iter().for_each(check);
    let seconds = round.took.as_secs_f64();
    print(format_args!("\nThe demo took {seconds:.2} s."));
    if !once {
        invite(stage);
    }
}

fn heading(heading: &str) {
    print(format_args!("\n{}", styled(BOLD, heading)));
}

fn line(line: impl Display) {
    print(format_args!("{INDENT}{line}"));
}

fn answer(title: &str, answer: &Answer) {
    heading(title);
    line(&answer.request);
    let status = format!("{} {}", answer.status, answer.reason);
    let style = if answer.status < 400 { GOOD } else { BAD };
    let milliseconds = answer.took.as_secs_f64() * 1e3;
    let rest = format!("{}, {milliseconds:.1} ms", answer.content_type);
    line(format_args!(
        "{}  {}",
        styled(style, &status),
        styled(DIM, &rest)
    ));
    let body =
        serde_json::to_string_pretty(&answer.body).unwrap_or_else(|_| answer.body.to_string());
    body.lines().for_each(line);
}

fn archive(archive: &Archive) {
    let transport = match archive.metadata.transport {
        Transport::Fifo => "a FIFO",
        Transport::Spool => "a FIFO and a sealed spool",
        Transport::File => "a private file",
    };
    let (count, bytes) = (archive.members.len(), BinaryBytes(archive.bytes));
    line(format_args!(
        "{bytes} in {count} members, received from the runtime through {transport}:"
    ));
    members(archive);
    let (told, found) = (&archive.metadata.sha256, &archive.sha256);
    line(format_args!("SHA-256 in its metadata  {told}"));
    line(format_args!("SHA-256 of the file      {found}"));
    hidden(archive);
}

fn members(archive: &Archive) {
    let mut table = Table::without_headings()
        .indented(INDENT.len())
        .right_aligned(&[0]);
    for member in &archive.members {
        let copies = match member.copies {
            0 => String::new(),
            copies => format!("the secret, {}", times(copies as u64)),
        };
        let size = BinaryBytes(member.bytes).to_string();
        table.row([plain(size), plain(&member.name), (copies, BAD)]);
    }
    table.finish();
}

fn hidden(archive: &Archive) {
    let copies = archive.copies(|_| true);
    let style = if copies == 0 { GOOD } else { BAD };
    let left = format!("{copies} copies of the secret are in this file");
    line(styled(style, &left));
    for (rule, places) in archive.hidden() {
        let places = places
            .iter()
            .map(|(place, masked)| format!("{place} {}", times(masked.masks)));
        let places = places.collect::<Vec<_>>().join(", ");
        line(format_args!(
            "masked by the policy redact-environment, rule `{rule}`: {places}"
        ));
    }
}

fn record(record: &Record) {
    let time = styled(DIM, &format!("{:.3}", record.at));
    line(format_args!("{time}  {}", event_in_short(&record.event)));
}

fn event_in_short(event: &Event) -> String {
    match event {
        Event::Intent {
            user,
            target,
            verdicts,
            ..
        } => {
            let user = user.as_deref().unwrap_or("-");
            format!(
                "intent   {user:<8} {target}  {}",
                verdicts_in_short(verdicts)
            )
        }
        Event::Outcome(outcome) => outcome_in_short(outcome),
        Event::Removed {
            target,
            checkpoint_id,
            ..
        } => format!("removed  {target}  {checkpoint_id}"),
        Event::Shadow {
            target, difference, ..
        } => format!("shadow   {target}  {}", difference.as_str()),
        Event::Head(head) => format!("head     {} records, signed", head.size),
        Event::Key(key) => format!("key      {}", key.key),
        Event::KeyRemoved(removal) => format!("key-removed {}", removal.previous),
        Event::Segment(_) => "segment".to_owned(),
    }
}

fn check(check: &Check) {
    match &check.result {
        Ok(()) => print(format_args!("{}   {}", styled(GOOD, "ok"), check.claim)),
        Err(error) => print(format_args!(
            "{} {}: {error:#}",
            styled(BAD, "FAIL"),
            check.claim
        )),
    }
}

/// Prints commands for requests from another terminal.
fn invite(stage: &Stage) {
    let gateway = format!("https://{}", stage.address);
    let checkpoint = format!("-X POST {gateway}/checkpoint/{}", stage::TARGET);
    let certificate = "--cert responder.crt --key responder.key";
    let program = std::env::current_exe().map(|path| shell(&path.display().to_string()));
    let program = program.unwrap_or_else(|_| "ckpt".to_owned());
    heading("Now try it yourself, in another terminal");
    for command in [
        format!("cd {}", shell(&stage.folder().display().to_string())),
        format!("curl --cacert ca.crt -H @alice.header {checkpoint}"),
        format!("curl --cacert ca.crt -H @mallory.header {checkpoint}"),
        format!("curl --cacert ca.crt {certificate} {checkpoint}"),
        format!("curl --cacert ca.crt {certificate} {gateway}/v1/whoami"),
        format!("curl 'http://{}/readyz?verbose'", stage.admin),
        format!("curl http://{}/metrics", stage.admin),
        "cat config.toml audit.log".to_owned(),
        format!("{program} audit verify audit.log --key audit.pem"),
    ] {
        line(command);
    }
    print(
        "\nThe trace of each request will appear here. Ctrl-C ends the demo and removes its folder.",
    );
}

fn outcome_in_short(outcome: &Outcome) -> String {
    let target = outcome
        .target
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let result = match (&outcome.code, &outcome.sha256) {
        (Some(code), _) => format!("{code}, {}", verdicts_in_short(&outcome.verdicts)),
        (None, Some(sha256)) => format!("sha256 {}...", sha256.get(..12).unwrap_or(sha256)),
        (None, None) => String::new(),
    };
    format!(
        "outcome  {:<8} {target}  {}  {result}",
        outcome.user.as_deref().unwrap_or("-"),
        outcome.status
    )
}

fn verdicts_in_short(verdicts: &[Verdict]) -> String {
    let decisions = verdicts.iter().map(|verdict| match &verdict.decision {
        Decision::Allow => format!("{}: allow", verdict.policy),
        Decision::Abstain => format!("{}: abstain", verdict.policy),
        Decision::Deny(denial) => format!("{}: {}", verdict.policy, denial.code),
    });
    decisions.collect::<Vec<_>>().join(", ")
}

/// A word as a shell reads it, quoted if necessary.
fn shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn times(count: u64) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_paths_for_a_shell() {
        assert_eq!(shell("/tmp/demo-1.x_y"), "/tmp/demo-1.x_y");
        assert_eq!(shell("/tmp/a b'c"), r"'/tmp/a b'\''c'");
    }
}
