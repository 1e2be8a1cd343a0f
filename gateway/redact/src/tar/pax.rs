//! Records of extended headers (POSIX.1, pax).

use std::ops::Range;

use crate::Error;

/// Records that a header may always have, and the bytes that allow one further record: each is searched alone.
const FREE: usize = 32;
const BYTES_PER_RECORD: usize = 32;

/// One record: `LENGTH KEY=VALUE\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The record with its length and newline.
    pub(super) whole: Range<usize>,
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The records in an extended header's contents.
pub(super) fn records(body: &[u8]) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut at = 0;
    // Some writers leave NULs at the end.
    while let Some(rest) = body
        .get(at..)
        .filter(|rest| rest.first().is_some_and(|first| *first != 0))
    {
        let record = record(rest, at).ok_or(Error::BadTar("an extended header is damaged"))?;
        at = record.whole.end;
        if records.len() >= FREE + body.len() / BYTES_PER_RECORD {
            return Err(Error::BadTar("an extended header has too many records"));
        }
        records.push(record);
    }
    let rest = body.get(at..).unwrap_or_default();
    if rest.iter().any(|byte| *byte != 0) {
        // It would be passed on without being searched.
        return Err(Error::BadTar(
            "something follows an extended header's records",
        ));
    }
    Ok(records)
}

/// The bytes in `range` of `body`.
pub(super) fn text(body: &[u8], range: &Range<usize>) -> Vec<u8> {
    body.get(range.clone()).unwrap_or_default().to_vec()
}

/// Reads a record's size.
pub(super) fn number(text: &[u8]) -> Result<u64, Error> {
    let plain = text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().filter(|_| plain);
    number
        .and_then(|number| number.parse().ok())
        .filter(|number| i64::try_from(*number).is_ok())
        .ok_or(Error::BadTar("an extended header's size is not a number"))
}

fn record(rest: &[u8], at: usize) -> Option<Record> {
    let space = rest.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(rest.get(..space)?).ok()?.parse().ok()?;
    let text = rest.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let key = at + space + 1;
    Some(Record {
        whole: at..at + length,
        key: key..key + equals,
        value: key + equals + 1..at + length - 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_records_by_their_lengths() {
        let body = b"12 size=700\n14 comment=a=\n";
        let read: Vec<_> = records(body)
            .unwrap()
            .iter()
            .map(|record| (text(body, &record.key), text(body, &record.value)))
            .collect();
        assert_eq!(
            read,
            [
                (b"size".to_vec(), b"700".to_vec()),
                (b"comment".to_vec(), b"a=".to_vec())
            ]
            .to_vec()
        );
    }

    #[test]
    fn refuses_more_records_than_writers_make() {
        let body = "6 a=b\n".repeat(32);
        assert_eq!(records(body.as_bytes()).unwrap().len(), 32);
        assert!(records("6 a=b\n".repeat(1000).as_bytes()).is_err());
        let body = "30 mtime=1697040000.123456789\n".repeat(500);
        assert_eq!(records(body.as_bytes()).unwrap().len(), 500);
    }

    #[test]
    fn refuses_wrong_lengths() {
        for body in [
            "99 size=7\n",
            "11 size=7\n",
            "x",
            "10 size=7",
            "1 \n",
            "0 a=b\n",
            "5 a=b\n",
            "\0x",
        ] {
            assert!(records(body.as_bytes()).is_err(), "{body}");
        }
    }
}
