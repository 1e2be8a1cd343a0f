//! Lines on standard output and standard error.

use std::io::Write;

/// A line of the command's result. A reader that has read enough, such as `head`, closes the pipe: that is not a failure.
pub(crate) fn line(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line for the person at the terminal.
pub(crate) fn error_line(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
