//! Tests of the chain: every change of a line is found at that line.

use super::*;

/// A log of 10,000 records.
static LARGE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| log(10_000));

/// The bad line, from 0, and what is wrong with it.
fn bad(lines: &[Vec<u8>], head: Option<&str>) -> (usize, Option<Fault>) {
    match verify(lines, &head.map(kept).unwrap_or_default()) {
        Err(VerifyError::Broken {
            seq, line, fault, ..
        }) => {
            assert_eq!(seq + 1, line);
            (usize::try_from(seq).unwrap(), Some(fault))
        }
        Err(VerifyError::HeadNotFound { records, .. }) => (usize::try_from(records).unwrap(), None),
        other => panic!("{other:?}"),
    }
}

/// Whether `named` is the line that was changed. Of the last two, nothing but a head can tell which; where the digest of
/// the last is not the head, it was that one.
fn names(changed: usize, last: usize, (named, fault): &(usize, Option<Fault>)) -> bool {
    match fault {
        Some(Fault::Ambiguous) => *named + 1 == last && (changed == last || changed + 1 == last),
        Some(_) => *named == changed,
        None => changed == last && *named == last + 1,
    }
}

#[test]
fn reports_count_times_and_head_of_an_intact_log() {
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
    let empty = verify(&[], &kept(&ChainHead::default().digest)).unwrap();
    assert_eq!(
        (empty.records, empty.covered, empty.first),
        (0, Some(0), None)
    );
}

#[test]
fn every_changed_byte_is_found_at_its_line() {
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
fn rejects_lines_too_long_incomplete_or_unchained() {
    let mut lines = log(2);
    lines.push(vec![b'x'; MAX_LINE + 1]);
    assert_eq!(bad(&lines, None), (2, Some(Fault::TooLong)));
    lines[2].truncate(10);
    assert_eq!(bad(&lines, None), (2, Some(Fault::Incomplete)));
    lines[2] = serde_json::to_vec(&record(1)).unwrap();
    lines[2].push(b'\n');
    assert_eq!(bad(&lines, None), (2, Some(Fault::NotARecord)));
}

#[test]
fn kept_digest_reveals_a_rewritten_log() {
    let mut anew = Written::default();
    for second in [0, 9, 2] {
        anew.record(second);
    }
    assert!(verify(&anew.lines, &Expected::default()).is_ok());
    assert!(matches!(
        verify(&anew.lines, &kept(&head(&log(3)))),
        Err(VerifyError::HeadNotFound { records: 3, .. })
    ));
}

#[test]
fn clock_set_back_is_not_a_fault() {
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
        prop_assert_eq!(bad(&lines, None), (removed, Some(Fault::WrongSeq { found: removed as u64 + 1 })));
    }

    #[test]
    fn a_repeated_line_is_found(doubled in 0..10_000_usize, place: prop::sample::Index) {
        let mut lines = LARGE.clone();
        let place = place.index(lines.len()) + 1;
        prop_assume!(place != doubled);
        lines.insert(place, LARGE[doubled].clone());
        prop_assert_eq!(bad(&lines, None), (place, Some(Fault::WrongSeq { found: doubled as u64 })));
    }

    #[test]
    fn swapped_lines_are_found(one in 0..10_000_usize, other in 0..10_000_usize) {
        prop_assume!(one != other);
        let mut lines = LARGE.clone();
        lines.swap(one, other);
        let found = Fault::WrongSeq { found: one.max(other) as u64 };
        prop_assert_eq!(bad(&lines, None), (one.min(other), Some(found)));
    }

    #[test]
    fn kept_digest_reveals_a_removed_tail(left in 0..10_000_usize) {
        let lines = &LARGE[..left];
        prop_assert!(verify(lines, &Expected::default()).is_ok());
        prop_assert_eq!(bad(lines, Some(&head(&LARGE))), (left, None));
    }

    #[test]
    fn arbitrary_bytes_never_panic(lines: Vec<Vec<u8>>) {
        let _ = verify(&lines, &Expected::default());
    }

    #[test]
    fn arbitrary_json_never_panics(event in "head|key|segment|other", size: u64, text in "[0-9a-f\u{e4}]{0,66}", frontier in 0..4_usize) {
        let about = serde_json::json!({
            "seq": 0, "prev": ChainHead::default().digest, "schema": 1, "at": "2026-01-01T00:00:00Z", "trace_id": null,
            "request_id": uuid::Uuid::nil(), "event": event, "size": size, "root": text, "key": text, "signature": text,
            "public_key": text, "previous": text, "frontier": vec![text.clone(); frontier],
        });
        let mut later = about.clone();
        later["seq"] = size.into();
        for about in [about, later] {
            let line = [about.to_string().into_bytes(), b"\n".to_vec()].concat();
            let anchor = Some(Anchor { seq: size, prev: ChainHead::default().digest });
            let found = verify(&[line], &Expected { anchor, ..Expected::default() });
            prop_assert!(found.is_err() || event == "other" || event == "segment");
        }
    }
}
