//! Records that must be in the log before it accepts others: outcomes of open intents, and a change of the key.

use std::collections::VecDeque;
use std::io;

use gateway_core::Record;
use jiff::Timestamp;

use crate::settings::Signing;
use crate::state::LogState;

/// A record that the log must have before others.
#[derive(Debug)]
pub(crate) enum Pending {
    /// The outcome of an intent that the previous run left open.
    Outcome(Box<Record>),
    /// The key in force is not the one of the settings.
    Key,
}

impl Pending {
    /// Appends the record to `lines`.
    pub(crate) fn add_to(
        &self,
        signing: Option<&Signing>,
        state: &mut LogState,
        lines: &mut Vec<u8>,
    ) -> io::Result<()> {
        let now = Timestamp::now();
        match (self, signing) {
            (Self::Outcome(record), _) => state.add_record(&serde_json::to_vec(record)?, lines),
            (Self::Key, Some(Signing { key, previous, .. })) => {
                state.add_key(key.public(), previous.as_deref(), now, lines)
            }
            (Self::Key, None) => state.add_key_removal(None, now, lines),
        }
    }
}

/// The records that a log needs first after a start: `outcomes`, and a change of the key if the settings name another one.
pub(crate) fn after_start(
    signing: Option<&Signing>,
    state: &LogState,
    outcomes: Vec<Record>,
) -> io::Result<VecDeque<Pending>> {
    let outcomes = outcomes.into_iter().map(Box::new).map(Pending::Outcome);
    let mut pending: VecDeque<_> = outcomes.collect();
    if state.key.as_ref() != signing.map(|signing| signing.key.public()) {
        check_previous(signing, state)?;
        pending.push_back(Pending::Key);
    }
    Ok(pending)
}

/// A previous key that is not the one in force is a mistake in the settings.
fn check_previous(signing: Option<&Signing>, state: &LogState) -> io::Result<()> {
    let previous = signing.and_then(|signing| signing.previous.as_deref());
    match (&state.key, previous) {
        (Some(key), Some(previous)) if key != previous.public() => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the previous key that was given is not the one that signed it",
        )),
        _ => Ok(()),
    }
}
