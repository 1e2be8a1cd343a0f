//! Prints a name and its value on a line.

use std::fmt::Display;

use crate::output::print;
use crate::printable::printable;

/// The longest line, in columns.
pub(super) const MAX_LINE: usize = 300;

/// Prints a name and its value.
pub(super) fn row(name: &str, value: impl Display) {
    let value = printable(&value.to_string(), MAX_LINE);
    print(format_args!("  {:<13} {value}", printable(name, 40)));
}
