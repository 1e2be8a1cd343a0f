//! Tests of verifying a log that was changed in every way.

use std::io;
use std::sync::LazyLock;

use gateway_core::{Event, Outcome, Record};
use proptest::prelude::*;

use super::*;
use crate::chain::{ChainHead, MAX_LINE, sha256_hex};
use crate::fault::Fault;
use crate::key::SigningKey;
use crate::lines::Source;
use crate::state::LogState;

fn record(second: u32) -> Record {
    Record {
        schema: Record::SCHEMA,
        at: jiff::Timestamp::from_second(second.into()).unwrap(),
        request_id: uuid::Uuid::from_u128(second.into()).into(),
        trace_id: None,
        event: Event::Outcome(Box::new(Outcome {
            user: Some("alice".to_owned()),
            source_address: Some([127, 0, 0, 1].into()),
            status: 200,
            bytes: Some(second.into()),
            duration_us: 7,
            ..Outcome::default()
        })),
    }
}

/// A log in the making: each line with its end.
#[derive(Default)]
struct Written {
    state: LogState,
    lines: Vec<Vec<u8>>,
}

impl Written {
    fn record(&mut self, second: u32) {
        let body = serde_json::to_vec(&record(second)).unwrap();
        self.line(|state, line| state.add_record(&body, line));
    }

    fn line(&mut self, add: impl FnOnce(&mut LogState, &mut Vec<u8>) -> io::Result<()>) {
        let mut line = Vec::new();
        add(&mut self.state, &mut line).unwrap();
        self.lines.push(line);
    }

    fn key(&mut self, new: &SigningKey, old: Option<&SigningKey>) {
        self.line(|state, line| state.add_key(new.public(), old, at(0), line));
    }

    fn sign(&mut self, key: &SigningKey) {
        self.line(|state, line| state.add_head(key, at(0), line));
    }
}

fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(second).unwrap()
}

fn log(records: u32) -> Vec<Vec<u8>> {
    let mut written = Written::default();
    (0..records).for_each(|second| written.record(second));
    written.lines
}

fn head(lines: &[Vec<u8>]) -> String {
    lines.last().map_or(ChainHead::default().digest, |line| {
        sha256_hex(&line[..line.len() - 1])
    })
}

fn verify(lines: &[Vec<u8>], expected: &Expected) -> Result<Verified, VerifyError> {
    let text = Box::new(io::Cursor::new(lines.concat()));
    let path = Path::new("audit.log");
    let source = Source::Open(path.to_path_buf(), text);
    verify_lines(Lines::of(path, vec![source]), expected)
}

fn kept(head: &str) -> Expected {
    Expected {
        head: Some(KeptHead::Digest(head.to_owned())),
        ..Expected::default()
    }
}

mod chain;
mod forged;
mod signed;
