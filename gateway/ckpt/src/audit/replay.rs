use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use gateway_core::{Difference, Event, Record};
use gateway_policy::{Evaluation, Policies};
use serde_json::{Value, json};

use super::candidate;
use super::facts::Facts;
use super::filter::Filter;
use super::records::Records;
use super::table::{Table, Tone};
use crate::archive::Output;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `audit replay`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log; its closed segments are read, too.
    file: PathBuf,
    /// The policies to ask: a gateway's configuration, a TOML file with its `[[policies]]`, `[authorization]` and
    /// `[policy-engine]` alone, or a folder with such a `policies.toml`, whose files are then found from there.
    #[arg(long, value_name = "CONFIG")]
    policies: PathBuf,
    #[command(flatten)]
    filter: Filter,
    /// How to say it: a table, or a JSON object for each difference and one for the sum, one a line.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
A record holds the request as the policies were given it, and policies know nothing else: the same \
policies come to the same. Not comparable are requests of which a plan hides something, those that were \
too long for their record, those on which a policy ran out of time, and lists, which ask about each \
checkpoint.

Exit status: 0 where nothing differs; 2 where something does, and for wrong usage; 1 where the log or the \
policies cannot be read, or a line is no record; 3 where the configuration is wrong.";

/// What came of it, in numbers.
#[derive(Default)]
struct Sum {
    compared: u64,
    now_allowed: u64,
    now_denied: u64,
    plan_changed: u64,
    hidden: u64,
    omitted: u64,
    lists: u64,
    timed_out: u64,
    unknown: u64,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let policies = candidate::load(&options.policies)?;
    let mut records = Records::open(&options.file)?;
    let (mut sum, mut page) = (Sum::default(), Page::new(options.output));
    for entry in records.by_ref() {
        let entry = entry?;
        if options.filter.takes(&entry.record)
            && let Some((difference, now)) = sum.compare(&entry.record, &policies)
        {
            page.difference(&entry.record, difference, &now);
        }
        page.progress(sum.compared);
    }
    page.end(&sum);
    let exit = records.end();
    Ok(if exit == Exit::Success && sum.differences() > 0 {
        Exit::Different
    } else {
        exit
    })
}

impl Sum {
    fn compare(
        &mut self,
        record: &Record,
        policies: &Policies,
    ) -> Option<(Difference, Evaluation)> {
        let facts = Facts::of(record);
        let Some(request) = facts.request else {
            self.without(&record.event);
            return None;
        };
        let was = Evaluation {
            verdicts: facts.verdicts.to_vec(),
            plan: facts.plan.cloned().unwrap_or_default(),
        };
        if !facts.hidden.is_empty() {
            add(&mut self.hidden);
        } else if was.is_timed_out() {
            add(&mut self.timed_out);
        } else if let Some(request) = request.request() {
            let now = policies.evaluate(&request);
            if now.is_timed_out() {
                add(&mut self.timed_out);
                return None;
            }
            add(&mut self.compared);
            let difference = was.difference(&now)?;
            add(match difference {
                Difference::NowAllowed => &mut self.now_allowed,
                Difference::NowDenied => &mut self.now_denied,
                Difference::PlanChanged => &mut self.plan_changed,
            });
            return Some((difference, now));
        } else {
            add(&mut self.unknown);
        }
        None
    }

    /// A record without a request: an outcome whose intent tells it, one that no policy was asked about, or one to count.
    fn without(&mut self, event: &Event) {
        if let Event::Outcome(outcome) = event {
            if outcome.omitted.iter().any(|name| name == "request") {
                add(&mut self.omitted);
            } else if outcome.listed.is_some() {
                add(&mut self.lists);
            }
        }
    }

    fn differences(&self) -> u64 {
        self.now_allowed
            .saturating_add(self.now_denied)
            .saturating_add(self.plan_changed)
    }

    fn not_comparable(&self) -> [(&'static str, u64); 5] {
        [
            ("hidden", self.hidden),
            ("omitted", self.omitted),
            ("lists", self.lists),
            ("timed-out", self.timed_out),
            ("unknown", self.unknown),
        ]
    }

    fn to_json(&self) -> Value {
        let not: serde_json::Map<_, _> = self
            .not_comparable()
            .into_iter()
            .map(|(why, count)| (why.to_owned(), count.into()))
            .collect();
        json!({
            "compared": self.compared,
            "differences": self.differences(),
            "now-allowed": self.now_allowed,
            "now-denied": self.now_denied,
            "plan-changed": self.plan_changed,
            "not-comparable": not,
        })
    }
}

fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}

/// What is shown, as it is found.
struct Page {
    output: Output,
    table: Option<Table<7>>,
    /// When to tell the person at the terminal the next time; `None` where nobody watches.
    next: Option<Instant>,
    shown: bool,
}

impl Page {
    /// What is over sooner needs no word.
    const PATIENCE: Duration = Duration::from_secs(2);

    fn new(output: Output) -> Self {
        let watched = output == Output::Text && std::io::stderr().is_terminal();
        Self {
            output,
            table: None,
            next: watched.then(|| Instant::now() + Self::PATIENCE),
            shown: false,
        }
    }

    fn difference(&mut self, record: &Record, difference: Difference, now: &Evaluation) {
        let facts = Facts::of(record);
        let denial = gateway_policy::decide(&now.verdicts).err();
        if self.output == Output::Json {
            return print(json!({
                "difference": difference, "request_id": record.request_id, "at": record.at, "action": facts.action,
                "user": facts.user, "target": facts.target, "verdicts": now.verdicts, "plan": now.plan,
            }));
        }
        let tone = if difference == Difference::NowAllowed {
            Tone::Good
        } else {
            Tone::Bad
        };
        let why = denial.map(|(policy, denial)| format!("{policy}: {}", denial.code));
        let plain = |text: Option<String>| (text.unwrap_or_else(|| "-".to_owned()), Tone::Plain);
        let headings = [
            "DIFFERENCE",
            "TIME",
            "ACTION",
            "USER",
            "TARGET",
            "NOW",
            "REQUEST",
        ];
        self.table.get_or_insert_with(|| Table::new(headings)).row([
            (difference.as_str().to_owned(), tone),
            (format!("{:.3}", record.at), Tone::Dim),
            plain(facts.action.map(|action| action.as_str().to_owned())),
            plain(facts.user.map(str::to_owned)),
            plain(facts.target.map(ToString::to_string)),
            plain(why),
            plain(Some(record.request_id.to_string())),
        ]);
    }

    fn progress(&mut self, compared: u64) {
        let now = Instant::now();
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + Duration::from_millis(200));
            self.shown = true;
            // Nobody is helped by an error about a line that nobody sees.
            let _ = write!(std::io::stderr(), "\r\x1b[K{compared} requests compared");
        }
    }

    fn end(self, sum: &Sum) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
        if let Some(mut table) = self.table {
            table.flush();
            print("");
        }
        if self.output == Output::Json {
            return print(sum.to_json());
        }
        print(format_args!(
            "{} requests compared: {} now allowed, {} now denied, {} with another plan",
            sum.compared, sum.now_allowed, sum.now_denied, sum.plan_changed
        ));
        let not: Vec<_> = sum
            .not_comparable()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        if !not.is_empty() {
            let not: Vec<_> = not
                .iter()
                .map(|(why, count)| format!("{count} {why}"))
                .collect();
            print(format_args!("not comparable: {}", not.join(", ")));
        }
    }
}
