use std::sync::LazyLock;

use gateway_core::{Event, Outcome, Record, TreeHead};
use proptest::prelude::*;

use super::*;
use crate::chain::{Head, LONGEST, hash};
use crate::key::SigningKey;
use crate::seal::State;

/// As many as the property must hold for.
static LARGE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| log(10_000));

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
    state: State,
    lines: Vec<Vec<u8>>,
}

impl Written {
    fn record(&mut self, second: u32) {
        let body = serde_json::to_vec(&record(second)).unwrap();
        self.line(|state, line| state.extend(&body, line));
    }

    fn line(&mut self, add: impl FnOnce(&mut State, &mut Vec<u8>) -> io::Result<()>) {
        let mut line = Vec::new();
        add(&mut self.state, &mut line).unwrap();
        self.lines.push(line);
    }

    fn key(&mut self, new: &SigningKey, old: Option<&SigningKey>) {
        self.line(|state, line| state.introduce(new.public(), old, at(0), line));
    }

    fn sign(&mut self, key: &SigningKey) {
        self.line(|state, line| state.sign(key, at(0), line));
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
    lines.last().map_or(Head::default().hash, |line| hash(&line[..line.len() - 1]))
}

fn verify(lines: &[Vec<u8>], expected: &Expected) -> Result<Verified, Unverified> {
    walk::walk(Lines::within(lines.concat()), expected)
}

fn kept(head: &str) -> Expected {
    Expected { head: Some(Kept::Digest(head.to_owned())), ..Expected::default() }
}

/// The bad line, from 0, and what is wrong with it.
fn bad(lines: &[Vec<u8>], head: Option<&str>) -> (usize, Option<Fault>) {
    match verify(lines, &head.map(kept).unwrap_or_default()) {
        Err(Unverified::Broken { seq, line, fault, .. }) => {
            assert_eq!(seq + 1, line);
            (usize::try_from(seq).unwrap(), Some(fault))
        }
        Err(Unverified::Cut { records, .. }) => (usize::try_from(records).unwrap(), None),
        other => panic!("{other:?}"),
    }
}

/// Whether `named` is the line that was changed. Of the last two, nothing but a head can tell which; where the digest of
/// the last is not the head, it was that one.
fn names(changed: usize, last: usize, (named, fault): &(usize, Option<Fault>)) -> bool {
    match fault {
        Some(Fault::Unfit) => *named + 1 == last && (changed == last || changed + 1 == last),
        Some(_) => *named == changed,
        None => changed == last && *named == last + 1,
    }
}

#[test]
fn a_whole_log_tells_how_many_records_it_has_and_of_which_time() {
    let lines = log(3);
    let verified = verify(&lines, &kept(&head(&lines[..2]))).unwrap();
    assert_eq!((verified.begins, verified.records, verified.head), (0, 3, head(&lines)));
    assert_eq!((verified.first, verified.last, verified.covered), (Some(at(0)), Some(at(2)), Some(2)));
    assert_eq!((verified.trust, verified.signed), (Trust::Unsigned, None));
    let empty = verify(&[], &kept(&Head::default().hash)).unwrap();
    assert_eq!((empty.records, empty.covered, empty.first), (0, Some(0), None));
}

#[test]
fn every_change_of_every_single_byte_is_found_and_named() {
    let lines = log(4);
    let kept = head(&lines);
    for changed in 0..4 {
        for at in 0..lines[changed].len() {
            for mask in [1, 2, 4, 8, 16, 32, 64, 128, lines[changed][at] ^ b'\n', lines[changed][at] ^ b' '] {
                let mut lines = lines.clone();
                lines[changed][at] ^= mask;
                if mask != 0 {
                    let found = bad(&lines, Some(&kept));
                    assert!(names(changed, 3, &found), "{changed} {at} {mask}: {found:?}");
                }
            }
        }
    }
}

#[test]
fn a_line_that_is_too_long_or_has_no_end_is_no_record() {
    let mut lines = log(2);
    lines.push(vec![b'x'; LONGEST + 1]);
    assert_eq!(bad(&lines, None), (2, Some(Fault::Long)));
    lines[2].truncate(10);
    assert_eq!(bad(&lines, None), (2, Some(Fault::Short)));
    lines[2] = serde_json::to_vec(&record(1)).unwrap();
    lines[2].push(b'\n');
    assert_eq!(bad(&lines, None), (2, Some(Fault::Foreign)));
}

#[test]
fn a_log_that_was_written_anew_is_not_the_one_whose_head_was_kept() {
    let mut anew = Written::default();
    for second in [0, 9, 2] {
        anew.record(second);
    }
    assert!(verify(&anew.lines, &Expected::default()).is_ok());
    assert!(matches!(verify(&anew.lines, &kept(&head(&log(3)))), Err(Unverified::Cut { records: 3, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_byte_of_a_large_log_is_found(changed in 0..10_000_usize, at: prop::sample::Index, mask in 1..=255_u8) {
        let mut lines = LARGE.clone();
        let at = at.index(lines[changed].len());
        lines[changed][at] ^= mask;
        let found = bad(&lines, Some(&head(&LARGE)));
        prop_assert!(names(changed, 9_999, &found), "{changed} {at} {mask}: {found:?}");
    }

    #[test]
    fn a_removed_line_is_found(removed in 0..9_999_usize) {
        let mut lines = LARGE.clone();
        lines.remove(removed);
        prop_assert_eq!(bad(&lines, None), (removed, Some(Fault::Moved { found: removed as u64 + 1 })));
    }

    #[test]
    fn a_line_that_is_there_twice_is_found(doubled in 0..10_000_usize, place: prop::sample::Index) {
        let mut lines = LARGE.clone();
        let place = place.index(lines.len()) + 1;
        prop_assume!(place != doubled);
        lines.insert(place, LARGE[doubled].clone());
        prop_assert_eq!(bad(&lines, None), (place, Some(Fault::Moved { found: doubled as u64 })));
    }

    #[test]
    fn exchanged_lines_are_found(one in 0..10_000_usize, other in 0..10_000_usize) {
        prop_assume!(one != other);
        let mut lines = LARGE.clone();
        lines.swap(one, other);
        let found = Fault::Moved { found: one.max(other) as u64 };
        prop_assert_eq!(bad(&lines, None), (one.min(other), Some(found)));
    }

    #[test]
    fn a_tail_that_was_cut_off_is_found_by_the_head(left in 0..10_000_usize) {
        let lines = &LARGE[..left];
        prop_assert!(verify(lines, &Expected::default()).is_ok());
        prop_assert_eq!(bad(lines, Some(&head(&LARGE))), (left, None));
    }
}

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
    let last = verify(&written.lines, &Expected::default()).unwrap().signed.unwrap();
    (written, last)
}

fn given(keys: &[&SigningKey]) -> Expected {
    Expected { keys: keys.iter().map(|key| key.public().clone()).collect(), ..Expected::default() }
}

fn keeping(head: &SignedHead) -> Expected {
    Expected { head: Some(Kept::Signed(head.clone())), ..Expected::default() }
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
        Err(Unverified::Broken { seq, fault, .. }) => (seq, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signed_log_says_whose_word_it_is() {
    let ring = Ring::new();
    let (key, other) = (ring.key("a"), ring.key("b"));
    let (written, last) = signed(10, 4, &key);
    let named = verify(&written.lines, &Expected::default()).unwrap();
    assert_eq!((named.trust, named.signed.unwrap().head.size), (Trust::Named, 10));
    let by = verify(&written.lines, &given(&[&other, &key])).unwrap();
    assert_eq!((by.trust, by.signed), (Trust::Given, Some(last)));
    assert_eq!(fault(&written.lines, &given(&[&other])), (0, Fault::Untrusted));
    assert!(matches!(verify(&log(3), &given(&[&key])), Err(Unverified::Unsigned)));
}

#[test]
fn what_was_chained_anew_is_found_by_the_next_head() {
    let ring = Ring::new();
    let key = ring.key("a");
    let (written, _) = signed(10, 4, &key);
    // Line 6 is between the heads at 5 and 10.
    let forged = anew(&written.lines, 6, None);
    assert_eq!(fault(&forged, &Expected::default()), (10, Fault::Root { since: 5 }));
    let mut without = written.lines.clone();
    without[10] = String::from_utf8(without[10].clone())
        .unwrap()
        .replacen("\"signature\":\"", "\"signature\":\"AA", 1)
        .into_bytes();
    without.truncate(11);
    assert_eq!(fault(&without, &Expected::default()), (10, Fault::Signature));
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
    assert_eq!((found.trust, found.unproven), (Trust::Named, vec![6]), "it is said that nobody vouches");
    assert_eq!(fault(&forged, &given(&[&key])), (6, Fault::Untrusted));
    assert!(matches!(verify(&forged, &keeping(&last)), Err(Unverified::Short { .. })));
}

#[test]
fn a_key_that_the_one_before_vouches_for_is_trusted_like_it() {
    let ring = Ring::new();
    let (old, new) = (ring.key("a"), ring.key("b"));
    let (mut written, before) = signed(4, 2, &old);
    written.key(&new, Some(&old));
    written.record(9);
    written.sign(&new);
    for expected in
        [given(&[&old]), given(&[&new]), Expected { keys: given(&[&old]).keys, ..keeping(&before) }]
    {
        let found = verify(&written.lines, &expected).unwrap();
        assert_eq!((found.trust, found.unproven), (Trust::Given, vec![]));
    }
    written.sign(&old);
    assert_eq!(fault(&written.lines, &Expected::default()).1, Fault::Key, "its time is over");
}

#[test]
fn a_kept_head_finds_what_was_cut_and_what_is_a_fork() {
    let ring = Ring::new();
    let (key, other) = (ring.key("a"), ring.key("b"));
    let (mut written, last) = signed(8, 4, &key);
    let size = usize::try_from(last.head.size).unwrap();
    written.record(9);
    assert_eq!(verify(&written.lines, &keeping(&last)).unwrap().covered, Some(10));
    let cut = verify(&written.lines[..size - 1], &keeping(&last));
    assert!(matches!(cut, Err(Unverified::Short { size: 10, records: 9 })), "{cut:?}");
    // Whoever has the key, too, such as the gateway itself after its disk was set back.
    let forked = anew(&written.lines, 2, Some(&key));
    assert!(verify(&forked, &given(&[&key])).is_ok());
    let fork = verify(&forked, &keeping(&last));
    assert!(matches!(fork, Err(Unverified::Fork { size: 10, since: 5 })), "{fork:?}");
    let (_, foreign) = signed(8, 4, &other);
    let stolen = SignedHead { head: TreeHead { root: last.head.root.clone(), ..foreign.head }, ..foreign };
    assert!(matches!(verify(&written.lines, &keeping(&stolen)), Err(Unverified::Forged { .. })));
}

#[test]
fn a_clock_that_is_set_back_is_no_fault() {
    let mut written = Written::default();
    for second in [500, 7, 900, 8] {
        written.record(second);
    }
    let found = verify(&written.lines, &Expected::default()).unwrap();
    assert_eq!((found.first, found.last), (Some(at(500)), Some(at(8))));
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
            Err(Unverified::Broken { seq, .. }) if kind == 3 => prop_assert_eq!(seq, changed.min(other) as u64),
            Err(Unverified::Broken { seq, fault, .. }) if kind == 2 => {
                // The line itself, unless it happens to be the one that belongs there.
                prop_assert!(seq == changed as u64 || seq == changed as u64 + 1, "{seq} {fault:?}");
            }
            Err(Unverified::Broken { seq, .. }) => prop_assert_eq!(seq, changed as u64),
            Err(Unverified::Short { records, .. }) => prop_assert!(kind == 4 && records == changed as u64),
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
        prop_assert!(matches!(found, Err(Unverified::Fork { size, .. }) if size == last.head.size), "{:?}", found);
    }

    #[test]
    fn no_bytes_make_it_panic(lines: Vec<Vec<u8>>) {
        let _ = verify(&lines, &Expected::default());
    }

    #[test]
    fn no_json_makes_it_panic(event in "head|key|segment|other", size: u64, text in "[0-9a-f\u{e4}]{0,66}", frontier in 0..4_usize) {
        let about = serde_json::json!({
            "seq": 0, "prev": Head::default().hash, "schema": 1, "at": "2026-01-01T00:00:00Z", "trace_id": null,
            "request_id": uuid::Uuid::nil(), "event": event, "size": size, "root": text, "key": text, "signature": text,
            "public_key": text, "previous": text, "frontier": vec![text.clone(); frontier],
        });
        let mut later = about.clone();
        later["seq"] = size.into();
        for about in [about, later] {
            let line = [about.to_string().into_bytes(), b"\n".to_vec()].concat();
            let anchor = Some(Anchor { seq: size, prev: Head::default().hash });
            let found = verify(&[line], &Expected { anchor, ..Expected::default() });
            prop_assert!(found.is_err() || event == "other" || event == "segment");
        }
    }
}
