//! Tests of the log as the gateway writes it, and what they share.

use std::fs::File;
use std::num::NonZeroU64;
use std::os::unix::fs::MetadataExt;

use gateway_core::{HiddenField, Outcome};

use super::*;
use crate::key::SigningKey;

/// A child process holds copies of all descriptors, and so of locks, until it executes its program. Tests that start one
/// take this lock for writing.
static PROCESS: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

fn outcome(status: u16) -> Record {
    Record {
        schema: Record::SCHEMA,
        at: jiff::Timestamp::UNIX_EPOCH,
        request_id: uuid::Uuid::nil().into(),
        trace_id: None,
        event: Event::Outcome(Box::new(Outcome {
            source_address: Some([127, 0, 0, 1].into()),
            status,
            bytes: None,
            ..Outcome::default()
        })),
    }
}

fn intent(id: u128) -> Record {
    let event = Event::Intent {
        action: gateway_core::Action::Create,
        user: None,
        groups: Vec::new(),
        credential: gateway_core::CredentialKind::BearerToken,
        issuer: "https://issuer.example".to_owned(),
        source_address: None,
        reason: None,
        target: "shop/cart-0/app".parse().unwrap(),
        container_id: "c0ffee".to_owned(),
        verdicts: Vec::new(),
        plan: gateway_core::PlanRecord {
            hide: vec![HiddenField::User],
            ..Default::default()
        },
        checkpoint_id: uuid::Uuid::from_u128(id).into(),
        request: None,
        masked: Vec::new(),
    };
    Record {
        request_id: uuid::Uuid::from_u128(id).into(),
        event,
        ..outcome(0)
    }
}

fn lines(path: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn verified(path: &Path) -> crate::Verified {
    crate::verify(path, &crate::Expected::default()).unwrap()
}

fn write_error_kind(result: Result<(), Error>) -> io::ErrorKind {
    let Err(Error::Write { source, .. }) = result else {
        panic!("{result:?}")
    };
    source.kind()
}

/// Signs with the key in the file `name` of `dir`, which is generated if it is not there.
fn signing(dir: &Path, name: &str, previous: Option<&str>) -> Signing {
    let (key, previous) = (dir.join(name), previous.map(|name| dir.join(name)));
    if !key.exists() {
        SigningKey::generate(&key).unwrap();
    }
    Signing::read(&key, previous.as_deref(), NonZeroU64::new(8).unwrap()).unwrap()
}

async fn write(log: &Log, records: u16) {
    for status in 0..records {
        log.write(outcome(status)).await.unwrap();
    }
}

mod appending;
mod clock;
mod faulty;
mod full;
mod keys;
mod killed;
mod observer;
mod segments;
