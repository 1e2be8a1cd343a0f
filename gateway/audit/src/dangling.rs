//! What a crash left open: intents whose outcome nobody wrote.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use gateway_core::{Event, Outcome, Record, RequestId};
use serde::Deserialize;

use crate::chain::LONGEST;

/// How far back from the end an intent is looked for, in bytes. Further back than any request lasts.
const BACK: u64 = 64 << 20;

/// What is read of every line; the rest only of intents that dangle.
#[derive(Deserialize)]
struct Step {
    request_id: RequestId,
    event: Kind,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Intent,
    Outcome,
    #[serde(other)]
    Other,
}

/// An outcome `unknown` for each intent before `end` that has none, in their order.
pub(crate) fn outcomes(mut file: &File, end: u64, now: jiff::Timestamp) -> io::Result<Vec<Record>> {
    let start = end.saturating_sub(BACK);
    file.seek(SeekFrom::Start(start))?;
    let mut lines = BufReader::new(file.take(end - start));
    let mut open: HashMap<RequestId, (usize, Vec<u8>)> = HashMap::new();
    for place in 0.. {
        let mut line = Vec::new();
        // What is no whole line, such as the first where it begins further back, is no step.
        if (&mut lines).take(LONGEST as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        match serde_json::from_slice(&line) {
            Ok(Step { request_id, event: Kind::Intent }) => drop(open.insert(request_id, (place, line))),
            Ok(Step { request_id, event: Kind::Outcome }) => drop(open.remove(&request_id)),
            _ => {}
        }
    }
    let mut open: Vec<_> = open.into_values().collect();
    open.sort_unstable_by_key(|(place, _)| *place);
    Ok(open.iter().filter_map(|(_, line)| unknown(serde_json::from_slice(line).ok()?, now)).collect())
}

/// Status 0 and the code `unknown`: nobody was answered, and whether an archive was made, only the store can tell.
fn unknown(intent: Record, now: jiff::Timestamp) -> Option<Record> {
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
        plan,
        checkpoint_id: Some(checkpoint_id),
        ..Outcome::default()
    };
    Some(Record { schema: Record::SCHEMA, at: now, event: Event::Outcome(Box::new(outcome)), ..intent })
}
