//! The `Range` header of downloads.

use std::ops::Range;

/// The part of a file that a request asks for (RFC 9110, section 14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it: there is no range, several, or an invalid one.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes beyond its end.
    Nowhere,
}

/// Reads a `Range` header for a file of `length` bytes. Several ranges are answered with the whole, as one may.
pub(super) fn of(header: Option<&str>, length: u64) -> Wanted {
    let Some(range) = header.and_then(|header| header.strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = range.split_once('-') else {
        return Wanted::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    match (number(first), number(last)) {
        (Some(first), _) if last.is_empty() => part(first, length, length),
        (Some(first), Some(last)) if first <= last => part(first, last.saturating_add(1), length),
        (None, Some(0)) if first.is_empty() => Wanted::Nowhere,
        (None, Some(last)) if first.is_empty() => part(length.saturating_sub(last), length, length),
        _ => Wanted::Whole,
    }
}

fn part(first: u64, end: u64, length: u64) -> Wanted {
    if first >= length {
        Wanted::Nowhere
    } else {
        Wanted::Part(first..end.min(length))
    }
}

/// A number of digits only: `parse` alone would accept a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parses_a_single_range() {
        for (header, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("bytes=9-", 9..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("bytes=5-99", 5..10),
        ] {
            assert_eq!(of(Some(header), 10), Wanted::Part(expected), "{header}");
        }
    }

    #[test]
    fn ignores_invalid_ranges_and_refuses_absent_ones() {
        for header in [
            "bytes=5-2",
            "bytes=a-b",
            "bytes=1-2,4-5",
            "bytes=+1-2",
            "items=0-1",
            "bytes=-",
            "bytes",
        ] {
            assert_eq!(of(Some(header), 10), Wanted::Whole, "{header}");
        }
        assert_eq!(of(None, 10), Wanted::Whole);
        for header in ["bytes=10-", "bytes=10-20", "bytes=-0"] {
            assert_eq!(of(Some(header), 10), Wanted::Nowhere, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_file(header in "bytes=[0-9]{0,20}-[0-9]{0,20}", length in 0_u64..1000) {
            if let Wanted::Part(range) = of(Some(&header), length) {
                prop_assert!(range.start < range.end && range.end <= length, "{range:?}");
            }
        }
    }
}
