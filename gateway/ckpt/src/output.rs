//! Writes a command's result to standard output and messages to standard error.

use std::fmt::Display;
use std::io::Write;

use clap::ValueEnum;

/// The format of a command's result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    #[default]
    Text,
    /// JSON for programs.
    Json,
}

/// Prints a line of text for people. Colours are removed unless standard output is a terminal that wants them
/// (<https://no-color.org>).
///
/// A reader that has read enough, such as `head`, closes the pipe: that is not a failure.
pub(crate) fn print(line: impl Display) {
    let _ = writeln!(anstream::stdout(), "{line}");
}

/// Prints a line for programs, exactly as it is.
pub(crate) fn print_exact(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a message to standard error.
pub(crate) fn print_error(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
