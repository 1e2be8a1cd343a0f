use gateway_core::{Decision, Event, Outcome, Record, Transport, Verdict};

use super::archive::{Archive, Member};
use super::check::Check;
use super::client::Answer;
use super::stage::{self, Stage};
use super::{Round, tree, workload};
use crate::output::print;
use crate::paint::Paint;
use crate::size::size;

/// How far lines stand in below their heading.
const INDENT: &str = "   ";

/// The round as a walk through.
pub(super) fn round(stage: &Stage, round: &Round, checks: &[Check], once: bool) {
    let page = Page(Paint::of_stdout());
    print(format_args!(
        "A checkpoint is the memory of a process, with every secret in it. This is a gate in front of that, all on this\n\
         machine: a small container runtime, a pod whose process knows a {}, and the gateway.",
        workload::SECRET
    ));
    page.answer(
        "1. alice asks for a checkpoint. The allow list names her",
        &round.alice,
    );
    page.answer(
        "2. mallory asks, with a token that is just as valid. The list does not name them",
        &round.mallory,
    );
    page.answer(
        "3. A client certificate will do, too: who does the gateway see?",
        &round.responder,
    );
    page.heading("4. What alice got");
    match &round.archive {
        Ok(archive) => page.archive(archive),
        Err(error) => line(page.0.red(&format!("{error:#}"))),
    }
    page.heading("5. What the audit log says");
    match &round.audit {
        Ok(log) => log.iter().for_each(|record| page.record(record)),
        Err(error) => line(page.0.red(&format!("{error:#}"))),
    }
    page.heading("6. Where alice's time went: the trace that her answer names");
    line(format_args!(
        "trace_id {}",
        round.alice.trace_id.as_deref().unwrap_or("is missing")
    ));
    tree::lines(&round.trace, page.0).into_iter().for_each(line);
    page.heading("Checked");
    for check in checks {
        page.check(check);
    }
    print(format_args!(
        "\nAll of it took {:.2} s.",
        round.took.as_secs_f64()
    ));
    if !once {
        page.invite(stage);
    }
}

/// The paper that the walk through is written on.
struct Page(Paint);

impl Page {
    fn heading(&self, heading: &str) {
        print(format_args!("\n{}", self.0.bold(heading)));
    }

    fn answer(&self, heading: &str, answer: &Answer) {
        self.heading(heading);
        line(&answer.request);
        let status = format!("{} {}", answer.status, answer.reason);
        let status = if answer.status < 400 {
            self.0.green(&status)
        } else {
            self.0.red(&status)
        };
        let rest = format!(
            "{}, {:.1} ms",
            answer.content_type,
            answer.took.as_secs_f64() * 1e3
        );
        line(format_args!("{status}  {}", self.0.dim(&rest)));
        let body =
            serde_json::to_string_pretty(&answer.body).unwrap_or_else(|_| answer.body.to_string());
        body.lines().for_each(line);
    }

    fn archive(&self, archive: &Archive) {
        let through = match archive.metadata.transport {
            Transport::Fifo => "a FIFO",
            Transport::File => "a private file",
        };
        let (count, bytes) = (archive.members.len(), size(archive.bytes));
        line(format_args!(
            "{bytes} in {count} members, taken in from the runtime through {through}:"
        ));
        for member in &archive.members {
            self.member(member);
        }
        line(format_args!(
            "SHA-256 in its metadata  {}",
            archive.metadata.sha256
        ));
        line(format_args!("SHA-256 of the file      {}", archive.sha256));
        self.hidden(archive);
    }

    fn hidden(&self, archive: &Archive) {
        let copies = archive.copies(|_| true);
        let left = format!("{copies} copies of the secret are in this file");
        line(if copies == 0 {
            self.0.green(&left)
        } else {
            self.0.red(&left)
        });
        for (rule, places) in archive.hidden() {
            let places: Vec<_> = places
                .iter()
                .map(|(place, masked)| format!("{place} {}", times(masked.masks)))
                .collect();
            line(format_args!(
                "hidden by the policy redact-environment, `{rule}`: {}",
                places.join(", ")
            ));
        }
    }

    fn member(&self, member: &Member) {
        let copies = match member.copies {
            0 => String::new(),
            copies => format!("  the secret, {}", times(copies as u64)),
        };
        line(format_args!(
            "{:>10}  {}{}",
            size(member.bytes),
            member.name,
            self.0.red(&copies)
        ));
    }

    fn record(&self, record: &Record) {
        let told = match &record.event {
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
        };
        line(format_args!(
            "{}  {told}",
            self.0.dim(&format!("{:.3}", record.at))
        ));
    }

    fn check(&self, check: &Check) {
        match &check.result {
            Ok(()) => print(format_args!("{}   {}", self.0.green("ok"), check.what)),
            Err(error) => print(format_args!(
                "{} {}: {error:#}",
                self.0.red("FAIL"),
                check.what
            )),
        }
    }

    fn invite(&self, stage: &Stage) {
        let main = format!("https://{}", stage.address);
        let checkpoint = format!("-X POST {main}/checkpoint/{}", stage::TARGET);
        let certificate = "--cert responder.crt --key responder.key";
        self.heading("Now you, in another terminal");
        line(format_args!(
            "cd {}",
            shell(&stage.folder().display().to_string())
        ));
        line(format_args!(
            "curl --cacert ca.crt -H @alice.header {checkpoint}"
        ));
        line(format_args!(
            "curl --cacert ca.crt -H @mallory.header {checkpoint}"
        ));
        line(format_args!(
            "curl --cacert ca.crt {certificate} {checkpoint}"
        ));
        line(format_args!(
            "curl --cacert ca.crt {certificate} {main}/v1/whoami"
        ));
        line(format_args!("curl 'http://{}/readyz?verbose'", stage.admin));
        line(format_args!("curl http://{}/metrics", stage.admin));
        line("cat config.toml audit.log");
        line("ckpt audit verify audit.log --key audit.pem");
        print(
            "\nThe trace of each of your requests will appear here. Ctrl-C ends all of it and removes the folder.",
        );
    }
}

fn line(line: impl std::fmt::Display) {
    print(format_args!("{INDENT}{line}"));
}

fn outcome_in_short(outcome: &Outcome) -> String {
    let target = outcome
        .target
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let how = match (&outcome.code, &outcome.sha256) {
        (Some(code), _) => format!("{code}, {}", verdicts_in_short(&outcome.verdicts)),
        (None, Some(sha256)) => format!("sha256 {}...", sha256.get(..12).unwrap_or(sha256)),
        (None, None) => String::new(),
    };
    format!(
        "outcome  {:<8} {target}  {}  {how}",
        outcome.user.as_deref().unwrap_or("-"),
        outcome.status
    )
}

fn verdicts_in_short(verdicts: &[Verdict]) -> String {
    let told = verdicts.iter().map(|verdict| match &verdict.decision {
        Decision::Allow => format!("{}: allow", verdict.policy),
        Decision::Abstain => format!("{}: abstain", verdict.policy),
        Decision::Deny(denial) => format!("{}: {}", verdict.policy, denial.code),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Quoted for a shell, where that is needed.
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
    fn a_path_with_blanks_or_quotes_stays_one_word_in_a_shell() {
        assert_eq!(shell("/tmp/demo-1.x_y"), "/tmp/demo-1.x_y");
        assert_eq!(shell("/tmp/a b'c"), r"'/tmp/a b'\''c'");
    }
}
