//! Tests of verifying signed logs: whose keys count, and how they change.

use super::*;
use crate::signature::SignedHead;

/// A folder for the keys of one test.
pub(super) struct Ring(tempfile::TempDir);

impl Ring {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn key(&self, name: &str) -> SigningKey {
        let path = self.0.path().join(name);
        SigningKey::generate(&path).unwrap();
        SigningKey::read(&path).unwrap()
    }
}

/// A log of so many records that is signed after each `every`, and its last signed head.
pub(super) fn signed(records: u32, every: u32, key: &SigningKey) -> (Written, SignedHead) {
    let mut written = Written::default();
    written.key(key, None);
    for second in 1..=records {
        written.record(second);
        if second % every == 0 {
            written.sign(key);
        }
    }
    let last = verify(&written.lines, &Expected::default())
        .unwrap()
        .signed
        .unwrap();
    (written, last)
}

pub(super) fn given(keys: &[&SigningKey]) -> Expected {
    Expected {
        keys: keys.iter().map(|key| key.public().clone()).collect(),
        ..Expected::default()
    }
}

pub(super) fn keeping(head: &SignedHead) -> Expected {
    Expected {
        head: Some(KeptHead::Signed(head.clone())),
        ..Expected::default()
    }
}

pub(super) fn fault(lines: &[Vec<u8>], expected: &Expected) -> (u64, Fault) {
    match verify(lines, expected) {
        Err(VerifyError::Broken { seq, fault, .. }) => (seq, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn reports_whether_given_or_named_keys_signed() {
    let ring = Ring::new();
    let (key, other) = (ring.key("a"), ring.key("b"));
    let (written, last) = signed(10, 4, &key);
    let named = verify(&written.lines, &Expected::default()).unwrap();
    assert_eq!(
        (named.trust, named.signed.unwrap().head.size),
        (Trust::Named, 10)
    );
    let by = verify(&written.lines, &given(&[&other, &key])).unwrap();
    assert_eq!((by.trust, by.signed), (Trust::Given, Some(last)));
    assert_eq!(
        fault(&written.lines, &given(&[&other])),
        (0, Fault::UntrustedKey)
    );
    assert!(matches!(
        verify(&log(3), &given(&[&key])),
        Err(VerifyError::NoTrustedHead)
    ));
}

#[test]
fn key_vouched_for_by_a_trusted_key_is_trusted() {
    let ring = Ring::new();
    let (old, new) = (ring.key("a"), ring.key("b"));
    let (mut written, before) = signed(4, 2, &old);
    written.key(&new, Some(&old));
    written.record(9);
    written.sign(&new);
    for expected in [
        given(&[&old]),
        given(&[&new]),
        Expected {
            keys: given(&[&old]).keys,
            ..keeping(&before)
        },
    ] {
        let found = verify(&written.lines, &expected).unwrap();
        assert_eq!((found.trust, found.unproven), (Trust::Given, vec![]));
    }
    written.sign(&old);
    assert_eq!(
        fault(&written.lines, &Expected::default()).1,
        Fault::WrongKey,
        "its time is over"
    );
}

#[test]
fn removed_key_neither_signs_nor_vouches() {
    let ring = Ring::new();
    let (key, other) = (ring.key("a"), ring.key("b"));
    let (mut written, before) = signed(4, 2, &key);
    written.line(|state, line| state.add_key_removal(Some(&key), at(0), line));
    written.record(9);
    let expected = Expected {
        keys: given(&[&key]).keys,
        ..keeping(&before)
    };
    let found = verify(&written.lines, &expected).unwrap();
    assert_eq!(
        (found.trust, found.keyless, found.unproven),
        (Trust::Given, Some(7), vec![])
    );
    let last = written.lines.len() as u64;
    let mut signed_again = Written {
        state: written.state.clone(),
        lines: written.lines.clone(),
    };
    signed_again.sign(&key);
    assert_eq!(
        fault(&signed_again.lines, &Expected::default()),
        (last, Fault::WrongKey),
        "its time is over"
    );
    written.key(&other, Some(&key));
    written.sign(&other);
    assert_eq!(
        fault(&written.lines, &given(&[&key])),
        (last, Fault::UntrustedKey)
    );
    let named = verify(&written.lines, &Expected::default()).unwrap();
    assert_eq!(
        (named.keyless, named.unproven),
        (None, vec![last]),
        "it is said that nobody vouches"
    );
}

#[test]
fn finds_forged_key_removals() {
    let ring = Ring::new();
    let (key, thief) = (ring.key("a"), ring.key("b"));
    let removed = |by: Option<&SigningKey>, change: &dyn Fn(String) -> String| {
        let (mut written, _) = signed(4, 2, &key);
        written.line(|state, line| state.add_key_removal(by, at(0), line));
        let last = written.lines.pop().unwrap();
        written
            .lines
            .push(change(String::from_utf8(last).unwrap()).into_bytes());
        verify(&written.lines, &given(&[&key]))
    };
    let unproven = |found: Result<Verified, VerifyError>| found.unwrap().unproven;
    assert_eq!(unproven(removed(Some(&key), &|line| line)), [0; 0]);
    assert_eq!(
        unproven(removed(None, &|line| line)),
        [7],
        "it is said that nobody vouches"
    );
    assert_eq!(unproven(removed(Some(&thief), &|line| line)), [7]);
    let faults = [
        (
            removed(Some(&key), &|line| {
                line.replace("1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z")
            }),
            Fault::BadSignature,
        ),
        (
            removed(Some(&key), &|line| {
                line.replace(key.public().id(), thief.public().id())
            }),
            Fault::WrongKey,
        ),
        (
            removed(Some(&key), &|line| line.replace("\"size\":7", "\"size\":6")),
            Fault::WrongRoot { since: 6 },
        ),
    ];
    for (found, expected) in faults {
        let Err(VerifyError::Broken { seq: 7, fault, .. }) = found else {
            panic!("{found:?}")
        };
        assert_eq!(fault, expected);
    }
}
