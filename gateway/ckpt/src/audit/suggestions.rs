//! Suggests values for a filter that matches no record.

use gateway_core::{Record, Target};

use super::filter::Filter;
use super::record_view::RecordView;
use crate::printable::printable;

/// The least similarity of a suggestion, from 0 to 1 (Jaro-Winkler).
const SIMILAR: f64 = 0.8;

/// The most similar value in the log for each text in the filter.
#[derive(Default)]
pub(super) struct Suggestions(Vec<Suggestion>);

struct Suggestion {
    option: &'static str,
    value: String,
    similarity: f64,
    /// The log has the very value; another part of the filter did not match.
    exact: bool,
}

impl Suggestions {
    /// Compares the filter with a record that it does not match.
    pub(super) fn compare(&mut self, filter: &Filter, record: &Record) {
        let view = RecordView::of(record);
        let target = view.target;
        let code = view.outcome.and_then(|outcome| outcome.code.as_deref());
        for (option, wanted, found) in [
            ("--user", &filter.user, view.user),
            (
                "--namespace",
                &filter.namespace,
                target.map(Target::namespace),
            ),
            ("--pod", &filter.pod, target.map(Target::pod)),
            (
                "--container",
                &filter.container,
                target.map(Target::container),
            ),
            ("--code", &filter.code, code),
        ] {
            if let (Some(wanted), Some(found)) = (wanted, found) {
                self.add(option, wanted, found);
            }
        }
    }

    fn add(&mut self, option: &'static str, wanted: &str, found: &str) {
        let new = Suggestion {
            option,
            value: found.to_owned(),
            similarity: strsim::jaro_winkler(wanted, found),
            exact: wanted == found,
        };
        match self.0.iter_mut().find(|known| known.option == option) {
            Some(known) if known.exact => {}
            Some(known) if new.exact || new.similarity > known.similarity => *known = new,
            Some(_) => {}
            None => self.0.push(new),
        }
    }

    /// The message for a filter without a match.
    pub(super) fn no_match(&self) -> String {
        let similar = self
            .0
            .iter()
            .filter(|one| !one.exact && one.similarity >= SIMILAR);
        let hints = similar.map(|one| {
            let value = printable(&one.value, 80);
            format!("; did you mean `{} {value}`?", one.option)
        });
        format!("no record matches{}", hints.collect::<String>())
    }
}
