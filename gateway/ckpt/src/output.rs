//! Lines on standard output and standard error.

use std::io::Write;

/// A line of the command's result. A reader that has read enough, such as `head`, closes the pipe: that is not a failure.
pub(crate) fn print(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line for the person at the terminal, on standard error.
pub(crate) fn tell(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
