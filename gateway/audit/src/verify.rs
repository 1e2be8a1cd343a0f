//! Verifies that a log is what was written: its chain, its tree, its signatures, and what was kept of it elsewhere.

use std::path::Path;

use crate::lines::Lines;

mod clock;
mod comparison;
mod error;
mod expected;
mod keys;
mod location;
mod verified;
mod verifier;

pub use error::VerifyError;
pub use expected::{Anchor, Expected, KeptHead};
pub use verified::{ClockSetBack, Trust, Verified};

use verifier::Verifier;

/// Reads the log at `path`, its closed segments first, and checks its chain, tree and signatures, and that it is the log
/// that `expected` describes. A few lines are in memory at a time. Without a kept head nobody can tell whether lines were
/// removed from the end.
///
/// # Errors
/// The first line that is wrong.
pub fn verify(path: &Path, expected: &Expected) -> Result<Verified, VerifyError> {
    verify_lines(Lines::open(path)?, expected)
}

fn verify_lines(mut lines: Lines, expected: &Expected) -> Result<Verified, VerifyError> {
    let mut verifier = Verifier::new(expected)?;
    let mut line = Vec::new();
    loop {
        let read = lines.next(&mut line);
        if matches!(read, Ok(false)) {
            return verifier.finish();
        }
        verifier.enter_line(&lines.path, lines.number);
        read.map_err(|error| verifier.read_error(error))?;
        verifier.check_line(&line)?;
    }
}

#[cfg(test)]
mod tests;
