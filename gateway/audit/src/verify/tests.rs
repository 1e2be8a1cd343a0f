use std::sync::LazyLock;

use gateway_core::{Event, Outcome, Record};
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
    lines
        .last()
        .map_or(Head::default().hash, |line| hash(&line[..line.len() - 1]))
}

fn verify(lines: &[Vec<u8>], expected: &Expected) -> Result<Verified, VerifyError> {
    walk::walk(Lines::within(lines.concat()), expected)
}

fn kept(head: &str) -> Expected {
    Expected {
        head: Some(KeptHead::Digest(head.to_owned())),
        ..Expected::default()
    }
}

/// The bad line, from 0, and what is wrong with it.
fn bad(lines: &[Vec<u8>], head: Option<&str>) -> (usize, Option<Fault>) {
    match verify(lines, &head.map(kept).unwrap_or_default()) {
        Err(VerifyError::Broken {
            seq, line, fault, ..
        }) => {
            assert_eq!(seq + 1, line);
            (usize::try_from(seq).unwrap(), Some(fault))
        }
        Err(VerifyError::Cut { records, .. }) => (usize::try_from(records).unwrap(), None),
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
    assert_eq!(
        (verified.begins, verified.records, verified.head),
        (0, 3, head(&lines))
    );
    assert_eq!(
        (verified.first, verified.last, verified.covered),
        (Some(at(0)), Some(at(2)), Some(2))
    );
    assert_eq!((verified.trust, verified.signed), (Trust::Unsigned, None));
    let empty = verify(&[], &kept(&Head::default().hash)).unwrap();
    assert_eq!(
        (empty.records, empty.covered, empty.first),
        (0, Some(0), None)
    );
}

#[test]
fn every_change_of_every_single_byte_is_found_and_named() {
    let lines = log(4);
    let kept = head(&lines);
    for changed in 0..4 {
        for at in 0..lines[changed].len() {
            for mask in [
                1,
                2,
                4,
                8,
                16,
                32,
                64,
                128,
                lines[changed][at] ^ b'\n',
                lines[changed][at] ^ b' ',
            ] {
                let mut lines = lines.clone();
                lines[changed][at] ^= mask;
                if mask != 0 {
                    let found = bad(&lines, Some(&kept));
                    assert!(
                        names(changed, 3, &found),
                        "{changed} {at} {mask}: {found:?}"
                    );
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
    assert!(matches!(
        verify(&anew.lines, &kept(&head(&log(3)))),
        Err(VerifyError::Cut { records: 3, .. })
    ));
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

mod signed;
