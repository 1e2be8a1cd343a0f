//! Prints findings about an archive.

use gateway_core::Finding;

use super::row::MAX_LINE;
use crate::output::print;
use crate::printable::printable;
use crate::style::{BAD, styled};

/// Prints one line for each finding.
pub(super) fn print_all(findings: &[Finding]) {
    for finding in findings {
        let line = printable(&finding.to_string(), MAX_LINE);
        if finding.is_fatal() {
            print(format_args!("  {}  {line}", styled(BAD, "fatal")));
        } else {
            print(format_args!("  note   {line}"));
        }
    }
}
