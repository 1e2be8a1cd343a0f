//! Tests of signed logs that were rewritten, truncated or forked.

use gateway_core::TreeHead;

use super::signed::{Ring, fault, given, keeping, signed};
use super::*;
use crate::signature::SignedHead;

/// The same records, of which one is changed, chained and signed anew by whoever has the `key`, if any.
fn anew(lines: &[Vec<u8>], changed: usize, key: Option<&SigningKey>) -> Vec<Vec<u8>> {
    let mut written = Written::default();
    for (place, line) in lines.iter().enumerate() {
        let text = String::from_utf8_lossy(line);
        // What follows seq and prev.
        let mut body = format!("{{{}", text.trim_end().splitn(3, ',').last().unwrap());
        if place == changed {
            body = body.replace(r#""duration_us":7"#, r#""duration_us":8"#);
        }
        match key {
            Some(key) if is_head(line) => written.sign(key),
            // As it stands: who has no key can only copy it.
            _ => written.line(|state, to| state.add_record(body.as_bytes(), to)),
        }
    }
    written.lines
}

fn is_head(line: &[u8]) -> bool {
    String::from_utf8_lossy(line).contains(r#""event":"head""#)
}

#[test]
fn next_head_reveals_a_rewritten_chain() {
    let ring = Ring::new();
    let key = ring.key("a");
    let (written, _) = signed(10, 4, &key);
    // Line 6 is between the heads at 5 and 10.
    let forged = anew(&written.lines, 6, None);
    assert_eq!(
        fault(&forged, &Expected::default()),
        (10, Fault::WrongRoot { since: 5 })
    );
    let mut without = written.lines.clone();
    without[10] = String::from_utf8(without[10].clone())
        .unwrap()
        .replacen("\"signature\":\"", "\"signature\":\"AA", 1)
        .into_bytes();
    without.truncate(11);
    assert_eq!(
        fault(&without, &Expected::default()),
        (10, Fault::BadSignature)
    );
}

#[test]
fn a_head_per_record_pinpoints_the_change() {
    let ring = Ring::new();
    let key = ring.key("a");
    let (written, _) = signed(10, 1, &key);
    for changed in (1..written.lines.len()).filter(|place| !is_head(&written.lines[*place])) {
        let before = if changed == 1 { 0 } else { changed as u64 - 1 };
        let found = fault(&anew(&written.lines, changed, None), &given(&[&key]));
        assert_eq!(
            found,
            (changed as u64 + 1, Fault::WrongRoot { since: before })
        );
    }
}

#[test]
fn given_key_reveals_a_log_signed_by_another() {
    let ring = Ring::new();
    let (key, thief) = (ring.key("a"), ring.key("b"));
    let (written, last) = signed(10, 4, &key);
    let mut forged = written.lines[..6].to_vec();
    let mut rest = Written::default();
    for line in &forged {
        rest.state.advance(&line[..line.len() - 1]);
    }
    rest.state.key = Some(key.public().clone());
    rest.key(&thief, None);
    rest.record(77);
    rest.sign(&thief);
    forged.extend(rest.lines);
    let found = verify(&forged, &Expected::default()).unwrap();
    assert_eq!(
        (found.trust, found.unproven),
        (Trust::Named, vec![6]),
        "it is said that nobody vouches"
    );
    assert_eq!(fault(&forged, &given(&[&key])), (6, Fault::UntrustedKey));
    assert!(matches!(
        verify(&forged, &keeping(&last)),
        Err(VerifyError::TooShort { .. })
    ));
}

#[test]
fn kept_head_reveals_truncation_and_forks() {
    let ring = Ring::new();
    let (key, other) = (ring.key("a"), ring.key("b"));
    let (mut written, last) = signed(8, 4, &key);
    let size = usize::try_from(last.head.size).unwrap();
    written.record(9);
    assert_eq!(
        verify(&written.lines, &keeping(&last)).unwrap().covered,
        Some(10)
    );
    let cut = verify(&written.lines[..size - 1], &keeping(&last));
    assert!(
        matches!(
            cut,
            Err(VerifyError::TooShort {
                size: 10,
                records: 9
            })
        ),
        "{cut:?}"
    );
    // Whoever has the key, too, such as the gateway itself after its disk was set back.
    let forked = anew(&written.lines, 2, Some(&key));
    assert!(verify(&forked, &given(&[&key])).is_ok());
    let fork = verify(&forked, &keeping(&last));
    assert!(
        matches!(fork, Err(VerifyError::Fork { size: 10, since: 5 })),
        "{fork:?}"
    );
    let (_, foreign) = signed(8, 4, &other);
    let stolen = SignedHead {
        head: TreeHead {
            root: last.head.root.clone(),
            ..foreign.head
        },
        ..foreign
    };
    assert!(matches!(
        verify(&written.lines, &keeping(&stolen)),
        Err(VerifyError::UntrustedHead { .. })
    ));
}

/// A log of 10,000 records with a signed head after each 256, its last head and its key.
static SIGNED: LazyLock<(Vec<Vec<u8>>, SignedHead, SigningKey)> = LazyLock::new(|| {
    let key = Ring::new().key("a");
    let (written, last) = signed(10_000, 256, &key);
    (written.lines, last, key)
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn large_log_rewritten_at_a_record_fails_at_next_head(changed in 1..9_900_usize) {
        let (lines, _, key) = &*SIGNED;
        prop_assume!(!is_head(&lines[changed]));
        let behind = (changed..lines.len()).find(|place| is_head(&lines[*place])).unwrap();
        let (seq, found) = fault(&anew(lines, changed, None), &given(&[key]));
        prop_assert_eq!(seq, behind as u64);
        let Fault::WrongRoot { since } = found else { panic!("{found:?}") };
        prop_assert!(since <= changed as u64 && changed as u64 - since <= 257);
    }

    #[test]
    fn any_change_of_a_large_signed_log_is_found(
        changed in 1..9_999_usize, kind in 0..5, other in 1..9_999_usize,
    ) {
        let (lines, last, key) = &*SIGNED;
        let mut lines = lines.clone();
        match kind {
            0 => lines[changed][40] ^= 1,
            1 => drop(lines.remove(changed)),
            2 => lines.insert(changed, lines[other].clone()),
            3 => { prop_assume!(changed != other); lines.swap(changed, other) }
            _ => lines.truncate(changed),
        }
        let expected = Expected { keys: given(&[key]).keys, ..keeping(last) };
        match verify(&lines, &expected) {
            Err(VerifyError::Broken { seq, .. }) if kind == 3 => prop_assert_eq!(seq, changed.min(other) as u64),
            Err(VerifyError::Broken { seq, fault, .. }) if kind == 2 => {
                // The line itself, unless it happens to be the one that belongs there.
                prop_assert!(seq == changed as u64 || seq == changed as u64 + 1, "{seq} {fault:?}");
            }
            Err(VerifyError::Broken { seq, .. }) => prop_assert_eq!(seq, changed as u64),
            Err(VerifyError::TooShort { records, .. }) => prop_assert!(kind == 4 && records == changed as u64),
            found => prop_assert!(false, "{:?}", found),
        }
    }

    #[test]
    fn a_fork_of_a_large_log_is_found(changed in 1..9_900_usize) {
        let (lines, last, key) = &*SIGNED;
        prop_assume!(!is_head(&lines[changed]));
        let forked = anew(lines, changed, Some(key));
        prop_assert!(verify(&forked, &given(&[key])).is_ok());
        let found = verify(&forked, &keeping(last));
        prop_assert!(matches!(found, Err(VerifyError::Fork { size, .. }) if size == last.head.size), "{:?}", found);
    }
}
