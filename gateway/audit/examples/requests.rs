//! Writes a log of many permitted checkpoints, to measure how fast they are replayed and counted.
//!
//! `cargo run --release -p gateway-audit --example requests -- FILE COUNT`, then `ckpt audit replay FILE --policies CONFIG`.

use std::error::Error;
use std::path::PathBuf;

use gateway_audit::Log;
use gateway_core::{Decision, Event, PlanRecord, Record, Request, RequestRecord, Verdict};
use tokio::task::JoinSet;

/// A realistic request.
const REQUEST: &str = include_str!("../../../policies/sdk/default-request.json");
/// The number of records that are written at the same time.
const AT_ONCE: u128 = 500;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let file = arguments.next().map(PathBuf::from).ok_or("name a file")?;
    let count: u128 = arguments
        .next()
        .and_then(|count| count.to_str()?.parse().ok())
        .ok_or("name a count")?;
    let log = Log::open(&file)?;
    for begin in (0..count).step_by(500) {
        let mut running = JoinSet::new();
        for number in begin..count.min(begin + AT_ONCE) {
            let (log, record) = (log.clone(), record(number)?);
            running.spawn(async move { log.write_intent(record).await });
        }
        while let Some(written) = running.join_next().await {
            written??;
        }
    }
    Ok(())
}

fn record(number: u128) -> Result<Record> {
    let mut request: Request = serde_json::from_str(REQUEST)?;
    request.id = uuid::Uuid::from_u128(number).into();
    request.reason = Some(format!("request {number}"));
    let (identity, target) = (&request.identity, &request.target);
    let event = Event::Intent {
        action: request.action,
        user: Some(identity.user.clone()),
        groups: identity.groups.clone(),
        credential: identity.credential,
        issuer: identity.issuer.clone(),
        source_address: Some(request.source_address),
        reason: request.reason.clone(),
        target: target.target.clone(),
        container_id: target.id.clone(),
        verdicts: vec![Verdict::of("namespace-allowlist", Decision::Allow)],
        plan: PlanRecord::default(),
        checkpoint_id: uuid::Uuid::from_u128(number).into(),
        request: Some(RequestRecord::of(&request, &[])),
        masked: Vec::new(),
    };
    let at = jiff::Timestamp::now();
    Ok(Record {
        schema: Record::SCHEMA,
        at,
        request_id: request.id,
        trace_id: None,
        event,
    })
}
