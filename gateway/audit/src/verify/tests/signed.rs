use gateway_core::TreeHead;

use super::*;

/// Keys of its own for each test.
struct Ring(tempfile::TempDir);

impl Ring {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn key(&self, name: &str) -> SigningKey {
        let path = self.0.path().join(name);
        SigningKey::generate(&path).unwrap();
        SigningKey::read(&path).unwrap()
    }
}

/// A log of so many records that is signed after each `every`, and its last signed head.
fn signed(records: u32, every: u32, key: &SigningKey) -> (Written, SignedHead) {
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

fn given(keys: &[&SigningKey]) -> Expected {
    Expected {
        keys: keys.iter().map(|key| key.public().clone()).collect(),
        ..Expected::default()
    }
}

fn keeping(head: &SignedHead) -> Expected {
    Expected {
        head: Some(KeptHead::Signed(head.clone())),
        ..Expected::default()
    }
}

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
            _ => written.line(|state, to| state.extend(body.as_bytes(), to)),
        }
    }
    written.lines
}

fn is_head(line: &[u8]) -> bool {
    String::from_utf8_lossy(line).contains(r#""event":"head""#)
}

fn fault(lines: &[Vec<u8>], expected: &Expected) -> (u64, Fault) {
    match verify(lines, expected) {
        Err(VerifyError::Broken { seq, fault, .. }) => (seq, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signed_log_says_whose_word_it_is() {
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
        (0, Fault::Untrusted)
    );
    assert!(matches!(
        verify(&log(3), &given(&[&key])),
        Err(VerifyError::Unsigned)
    ));
}

#[test]
fn what_was_chained_anew_is_found_by_the_next_head() {
    let ring = Ring::new();
    let key = ring.key("a");
    let (written, _) = signed(10, 4, &key);
    // Line 6 is between the heads at 5 and 10.
    let forged = anew(&written.lines, 6, None);
    assert_eq!(
        fault(&forged, &Expected::default()),
        (10, Fault::Root { since: 5 })
    );
    let mut without = written.lines.clone();
    without[10] = String::from_utf8(without[10].clone())
        .unwrap()
        .replacen("\"signature\":\"", "\"signature\":\"AA", 1)
        .into_bytes();
    without.truncate(11);
    assert_eq!(
        fault(&without, &Expected::default()),
        (10, Fault::Signature)
    );
}

#[test]
fn where_each_record_has_a_head_what_was_chained_anew_is_that_record() {
    let ring = Ring::new();
    let key = ring.key("a");
    let (written, _) = signed(10, 1, &key);
    for changed in (1..written.lines.len()).filter(|place| !is_head(&written.lines[*place])) {
        let before = if changed == 1 { 0 } else { changed as u64 - 1 };
        let found = fault(&anew(&written.lines, changed, None), &given(&[&key]));
        assert_eq!(found, (changed as u64 + 1, Fault::Root { since: before }));
    }
}

#[test]
fn who_writes_all_of_it_anew_with_another_key_is_found_by_the_key_that_is_given() {
    let ring = Ring::new();
    let (key, thief) = (ring.key("a"), ring.key("b"));
    let (written, last) = signed(10, 4, &key);
    let mut forged = written.lines[..6].to_vec();
    let mut rest = Written::default();
    for line in &forged {
        rest.state.pass(&line[..line.len() - 1]);
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
    assert_eq!(fault(&forged, &given(&[&key])), (6, Fault::Untrusted));
    assert!(matches!(
        verify(&forged, &keeping(&last)),
        Err(VerifyError::Short { .. })
    ));
}

#[test]
fn a_key_that_the_one_before_vouches_for_is_trusted_like_it() {
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
        Fault::Key,
        "its time is over"
    );
}

#[test]
fn a_key_that_was_taken_away_signs_nothing_more_and_vouches_for_no_other() {
    let ring = Ring::new();
    let (key, other) = (ring.key("a"), ring.key("b"));
    let (mut written, before) = signed(4, 2, &key);
    written.line(|state, line| state.dismiss(Some(&key), at(0), line));
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
        (last, Fault::Key),
        "its time is over"
    );
    written.key(&other, Some(&key));
    written.sign(&other);
    assert_eq!(
        fault(&written.lines, &given(&[&key])),
        (last, Fault::Untrusted)
    );
    let named = verify(&written.lines, &Expected::default()).unwrap();
    assert_eq!(
        (named.keyless, named.unproven),
        (None, vec![last]),
        "it is said that nobody vouches"
    );
}

#[test]
fn a_removal_that_was_made_up_is_found() {
    let ring = Ring::new();
    let (key, thief) = (ring.key("a"), ring.key("b"));
    let removed = |by: Option<&SigningKey>, change: &dyn Fn(String) -> String| {
        let (mut written, _) = signed(4, 2, &key);
        written.line(|state, line| state.dismiss(by, at(0), line));
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
            Fault::Signature,
        ),
        (
            removed(Some(&key), &|line| {
                line.replace(key.public().id(), thief.public().id())
            }),
            Fault::Key,
        ),
        (
            removed(Some(&key), &|line| line.replace("\"size\":7", "\"size\":6")),
            Fault::Root { since: 6 },
        ),
    ];
    for (found, expected) in faults {
        let Err(VerifyError::Broken { seq: 7, fault, .. }) = found else {
            panic!("{found:?}")
        };
        assert_eq!(fault, expected);
    }
}

#[test]
fn a_kept_head_finds_what_was_cut_and_what_is_a_fork() {
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
            Err(VerifyError::Short {
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
        Err(VerifyError::Forged { .. })
    ));
}

/// As many as the property must hold for, signed after each 256.
static SIGNED: LazyLock<(Vec<Vec<u8>>, SignedHead, SigningKey)> = LazyLock::new(|| {
    let key = Ring::new().key("a");
    let (written, last) = signed(10_000, 256, &key);
    (written.lines, last, key)
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_of_a_large_log_that_was_chained_anew_is_found_by_the_head_behind_it(changed in 1..9_900_usize) {
        let (lines, _, key) = &*SIGNED;
        prop_assume!(!is_head(&lines[changed]));
        let behind = (changed..lines.len()).find(|place| is_head(&lines[*place])).unwrap();
        let (seq, found) = fault(&anew(lines, changed, None), &given(&[key]));
        prop_assert_eq!(seq, behind as u64);
        let Fault::Root { since } = found else { panic!("{found:?}") };
        prop_assert!(since <= changed as u64 && changed as u64 - since <= 257);
    }

    #[test]
    fn a_large_log_of_which_anything_was_changed_is_a_fork_or_cut_or_broken(
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
            Err(VerifyError::Short { records, .. }) => prop_assert!(kind == 4 && records == changed as u64),
            found => prop_assert!(false, "{:?}", found),
        }
    }

    #[test]
    fn a_fork_of_a_large_log_is_told(changed in 1..9_900_usize) {
        let (lines, last, key) = &*SIGNED;
        prop_assume!(!is_head(&lines[changed]));
        let forked = anew(lines, changed, Some(key));
        prop_assert!(verify(&forked, &given(&[key])).is_ok());
        let found = verify(&forked, &keeping(last));
        prop_assert!(matches!(found, Err(VerifyError::Fork { size, .. }) if size == last.head.size), "{:?}", found);
    }
}
