//! Tests of proofs: made, checked, and changed.

use std::num::NonZeroU64;
use std::sync::LazyLock;

use gateway_core::{Event, Outcome};
use proptest::prelude::*;

use super::*;
use crate::key::{PublicKey, SigningKey};
use crate::log::Log;
use crate::proof::ProofError;
use crate::settings::{Settings, Signing};

fn outcome(id: u128) -> Record {
    let event = Event::Outcome(Box::new(Outcome {
        user: Some("älice\u{7f}".to_owned()),
        status: 200,
        ..Outcome::default()
    }));
    let at = jiff::Timestamp::UNIX_EPOCH;
    Record {
        schema: 1,
        at,
        request_id: uuid::Uuid::from_u128(id).into(),
        trace_id: None,
        event,
    }
}

/// A log of some records in many segments, the last of which is not signed.
struct Made {
    dir: tempfile::TempDir,
    path: std::path::PathBuf,
    key: PublicKey,
}

async fn made() -> Made {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("audit.log"), dir.path().join("key"));
    let public = SigningKey::generate(&key).unwrap();
    let signing = Signing::read(&key, None, NonZeroU64::new(1000).unwrap()).unwrap();
    let log = Log::open_with(
        &path,
        Settings {
            segment_bytes: 2000,
            signing: Some(signing),
            ..Settings::default()
        },
    )
    .unwrap();
    for id in 1..40 {
        log.write(outcome(id % 30)).await.unwrap();
    }
    log.sign_head().await.unwrap();
    log.write(outcome(99)).await.unwrap();
    Made {
        dir,
        path,
        key: public,
    }
}

#[tokio::test]
async fn every_signed_record_can_be_proven() {
    let Made {
        dir: _dir,
        path,
        key,
    } = made().await;
    let expected = Expected {
        keys: vec![key.clone()],
        ..Expected::default()
    };
    let size = verify(&path, &expected).unwrap().signed.unwrap().head.size;
    for seq in 0..size {
        let proofs = prove(&path, Wanted::Seq(seq), &expected).unwrap();
        let [proof] = &*proofs else {
            panic!("{proofs:?}")
        };
        let sent: Proof = serde_json::from_str(&serde_json::to_string(proof).unwrap()).unwrap();
        assert_eq!(
            (sent.index, sent.check(std::slice::from_ref(&key)).is_ok()),
            (seq, true)
        );
    }
    let both = prove(
        &path,
        Wanted::Request(uuid::Uuid::from_u128(5).into()),
        &expected,
    )
    .unwrap();
    assert_eq!(both.len(), 2, "a request has more than one record");
    assert!(
        both.iter()
            .all(|proof| proof.check(std::slice::from_ref(&key)) == Ok(outcome(5)))
    );
}

#[tokio::test]
async fn absent_and_unsigned_records_cannot_be_proven() {
    let Made {
        dir: _dir, path, ..
    } = made().await;
    let request = |id| Wanted::Request(uuid::Uuid::from_u128(id).into());
    let ask = |wanted| prove(&path, wanted, &Expected::default());
    assert!(matches!(ask(request(77)), Err(ProveError::Absent)));
    assert!(matches!(
        ask(Wanted::Seq(u64::MAX)),
        Err(ProveError::Absent)
    ));
    assert!(matches!(ask(request(99)), Err(ProveError::Unsigned)));
}

#[tokio::test]
async fn rejects_proof_of_other_record_index_path_or_key() {
    let Made { dir, path, key } = made().await;
    let proof = prove(&path, Wanted::Seq(7), &Expected::default())
        .unwrap()
        .remove(0);
    let other = SigningKey::generate(&dir.path().join("other")).unwrap();
    assert!(matches!(
        proof.check(&[other]),
        Err(ProofError::Signature { .. })
    ));
    let keys = [key];
    let line = proof.line.replace("200", "201");
    assert_eq!(
        Proof {
            line,
            ..proof.clone()
        }
        .check(&keys),
        Err(ProofError::Path)
    );
    assert_eq!(
        Proof {
            index: 8,
            ..proof.clone()
        }
        .check(&keys),
        Err(ProofError::Line)
    );
    let mut path = proof.path.clone();
    path.swap(0, 1);
    assert_eq!(
        Proof {
            path,
            ..proof.clone()
        }
        .check(&keys),
        Err(ProofError::Path)
    );
    let mut smaller = proof;
    smaller.head.head.size -= 1;
    assert!(smaller.check(&keys).is_err());
}

static PROOF: LazyLock<(Proof, PublicKey)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let Made {
        dir: _dir,
        path,
        key,
    } = runtime.block_on(made());
    (
        prove(&path, Wanted::Seq(7), &Expected::default())
            .unwrap()
            .remove(0),
        key,
    )
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_changed_byte_makes_another_valid_proof(at: prop::sample::Index, byte: u8) {
        let (proof, key) = &*PROOF;
        let mut text = serde_json::to_vec(proof).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(other) = serde_json::from_slice::<Proof>(&text)
            && let Ok(record) = other.check(std::slice::from_ref(key))
        {
            // Another spelling of the same proof: a digit of a hash in upper case, or a field that is ignored.
            prop_assert_eq!(record, proof.check(std::slice::from_ref(key)).unwrap());
            prop_assert_eq!(&other.line, &proof.line);
        }
    }

    #[test]
    fn arbitrary_proofs_never_panic(line: String, index: u64, size: u64, path in prop::collection::vec("[0-9a-f]{64}", 0..70)) {
        let (proof, key) = &*PROOF;
        let mut head = proof.head.clone();
        head.head.size = size;
        let lines = [line, proof.line.clone()];
        for line in lines {
            let wrong = Proof { line, index, path: path.clone(), head: head.clone() };
            let checked = wrong.check(std::slice::from_ref(key));
            prop_assert!(checked.is_err());
        }
    }
}
