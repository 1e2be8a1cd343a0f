//! Finds intents without an outcome, and makes the outcomes that are recorded for them.

use std::collections::HashMap;

use gateway_core::{Event, Outcome, Record, RequestId};
use serde::Deserialize;

use crate::chain::EventKind;

/// Intents whose outcome has not been read yet.
#[derive(Default)]
pub(super) struct OpenIntents {
    lines_read: u64,
    intents: HashMap<RequestId, (u64, Vec<u8>)>,
}

/// The fields that are read of every line. The rest is parsed for open intents only.
#[derive(Deserialize)]
struct Fields {
    request_id: RequestId,
    event: EventKind,
}

impl OpenIntents {
    /// Takes in the next line. A part of a line, or a line that is not a record, is ignored.
    pub(super) fn add_line(&mut self, line: &[u8]) {
        self.lines_read = self.lines_read.saturating_add(1);
        let Ok(Fields { request_id, event }) = serde_json::from_slice(line) else {
            return;
        };
        match event {
            EventKind::Intent => {
                let intent = (self.lines_read, line.to_vec());
                self.intents.insert(request_id, intent);
            }
            EventKind::Outcome => drop(self.intents.remove(&request_id)),
            _ => {}
        }
    }

    /// An outcome `unknown` at the time `now` for each open intent, in the order of the intents.
    pub(super) fn into_outcomes(self, now: jiff::Timestamp) -> Vec<Record> {
        let mut open: Vec<_> = self.intents.into_values().collect();
        open.sort_unstable_by_key(|(number, _)| *number);
        open.iter()
            .filter_map(|(_, line)| unknown_outcome(serde_json::from_slice(line).ok()?, now))
            .collect()
    }
}

/// The outcome with status 0 and the code `unknown`: nobody got an answer, and only the store shows whether an archive was
/// made.
fn unknown_outcome(intent: Record, now: jiff::Timestamp) -> Option<Record> {
    let Event::Intent {
        action,
        user,
        groups,
        credential,
        issuer,
        source_address,
        reason,
        target,
        verdicts,
        plan,
        checkpoint_id,
        masked,
        ..
    } = intent.event
    else {
        return None;
    };
    let outcome = Outcome {
        action: Some(action),
        user,
        groups,
        credential: Some(credential),
        issuer: Some(issuer),
        source_address,
        reason,
        target: Some(target),
        code: Some("unknown".to_owned()),
        verdicts,
        hidden: plan.hide.clone(),
        masked,
        plan,
        checkpoint_id: Some(checkpoint_id),
        ..Outcome::default()
    };
    Some(Record {
        schema: Record::SCHEMA,
        at: now,
        event: Event::Outcome(Box::new(outcome)),
        ..intent
    })
}
