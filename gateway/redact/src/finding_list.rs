//! A bounded list of findings, without repetitions.

use gateway_core::{Finding, FindingCode, Severity, one_line};

/// The most findings of each severity that are listed.
const MAX_LISTED: usize = 100;
/// Bytes of a place, and of a message.
const MAX_PLACE: usize = 256;
const MAX_MESSAGE: usize = 1 << 10;

/// The findings so far. The fatal ones have a place of their own, so that no number of others hides them.
#[derive(Debug, Default)]
pub(crate) struct FindingList {
    fatal: Vec<Finding>,
    noteworthy: Vec<Finding>,
    unlisted: u64,
}

impl FindingList {
    pub(crate) fn fatal(&mut self, code: FindingCode, place: &str, message: &str) {
        let finding = finding(Severity::Fatal, code, place, message);
        Self::push(&mut self.fatal, &mut self.unlisted, finding);
    }

    pub(crate) fn note(&mut self, code: FindingCode, place: &str, message: &str) {
        let finding = finding(Severity::Noteworthy, code, place, message);
        Self::push(&mut self.noteworthy, &mut self.unlisted, finding);
    }

    /// All findings, the fatal ones first, each in the order in which they were made.
    pub(crate) fn into_vec(self) -> Vec<Finding> {
        let mut all = self.fatal;
        all.extend(self.noteworthy);
        if self.unlisted > 0 {
            all.push(Finding::unlisted(self.unlisted));
        }
        all
    }

    fn push(list: &mut Vec<Finding>, unlisted: &mut u64, finding: Finding) {
        // Each pass over an archive may find the same.
        if list.contains(&finding) {
            return;
        }
        if list.len() < MAX_LISTED {
            list.push(finding);
        } else {
            *unlisted = unlisted.saturating_add(1);
        }
    }
}

fn finding(severity: Severity, code: FindingCode, place: &str, message: &str) -> Finding {
    Finding {
        severity,
        code,
        place: one_line(place, MAX_PLACE),
        message: one_line(message, MAX_MESSAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fatal_findings_are_not_crowded_out() {
        let mut list = FindingList::default();
        for number in 0..1000 {
            list.note(FindingCode::Link, &number.to_string(), "a link");
        }
        list.note(FindingCode::Link, "0", "a link");
        list.fatal(FindingCode::SpecMissing, "spec.dump", "missing\n");
        let all = list.into_vec();
        assert_eq!(all.len(), MAX_LISTED + 2);
        assert!(all[0].is_fatal() && all[0].message == "missing ");
        assert_eq!(
            all[all.len() - 1].message,
            "900 more findings are not listed"
        );
    }
}
