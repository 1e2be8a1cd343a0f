use std::path::Path;

use gateway_core::Record;

use crate::chain::{Link, hash};
use crate::lines::{Lines, ReadError};
use crate::verify::Fault;

/// A record, and where it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 0, as its line says. Whether that is true, only [`crate::verify`] tells.
    pub seq: u64,
    /// The digest (SHA-256, hex) of its line without the end.
    pub hash: String,
    /// The line as it stands in the log, without its end.
    pub line: Vec<u8>,
    /// What it says.
    pub record: Record,
}

/// Reads record after record: see [`read`].
pub struct Reader {
    lines: Lines,
}

/// Reads the log at `path`: its closed segments in order, compressed or not, then the active file as far as it goes now. Takes
/// memory for one line. Where `path` is a compressed segment, that alone is read. The chain is not checked.
///
/// A line that is no record is an error, and the next one is read after it. While a gateway writes, the last line may be half
/// there ([`Fault::Short`]).
///
/// # Errors
/// Where the log cannot be opened.
pub fn read(path: &Path) -> Result<Reader, ReadError> {
    Ok(Reader {
        lines: Lines::of(path)?,
    })
}

impl Iterator for Reader {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        match self.lines.next(&mut line) {
            Err(error) => Some(Err(error)),
            Ok(false) => None,
            Ok(true) => Some(self.entry(line)),
        }
    }
}

impl Reader {
    fn entry(&self, line: Vec<u8>) -> Result<Entry, ReadError> {
        let read = Link::of(&line).and_then(|link| Ok((link.seq, serde_json::from_slice(&line)?)));
        let Ok((seq, record)) = read else {
            let Lines { path, number, .. } = &self.lines;
            return Err(ReadError::Line {
                path: path.to_path_buf(),
                line: *number,
                fault: Fault::Foreign,
            });
        };
        Ok(Entry {
            seq,
            hash: hash(&line),
            line,
            record,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::path::PathBuf;

    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    const RECORD: &str = r#""prev":"","schema":1,"at":"2026-01-01T00:00:00Z","request_id":"00000000-0000-0000-0000-000000000000","trace_id":null,"event":"removed","because":"age","checkpoint_id":"00000000-0000-0000-0000-000000000000","target":"a/b/c","sha256":"","bytes":1"#;

    fn lines(places: std::ops::Range<u64>) -> String {
        let target = r#""target":{"namespace":"a","pod":"b","container":"c"}"#;
        let record = RECORD.replace(r#""target":"a/b/c""#, target);
        places
            .map(|seq| format!("{{\"seq\":{seq},{record}}}\n"))
            .collect::<Vec<_>>()
            .concat()
    }

    fn log() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let mut packed = GzEncoder::new(
            File::create(dir.path().join("audit.log.000000000000.gz")).unwrap(),
            flate2::Compression::fast(),
        );
        packed.write_all(lines(0..3).as_bytes()).unwrap();
        packed.finish().unwrap();
        std::fs::write(dir.path().join("audit.log.000000000003"), lines(3..5)).unwrap();
        std::fs::write(&path, lines(5..7)).unwrap();
        (dir, path)
    }

    fn places(path: &Path) -> Vec<u64> {
        read(path)
            .unwrap()
            .map(|entry| entry.unwrap().seq)
            .collect()
    }

    #[test]
    fn closed_segments_are_read_in_order_and_then_the_active_file() {
        let (dir, path) = log();
        assert_eq!(places(&path), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(
            places(&dir.path().join("audit.log.000000000000.gz")),
            [0, 1, 2]
        );
        let entry = read(&path).unwrap().nth(4).unwrap().unwrap();
        assert_eq!(
            (entry.hash, [entry.line, b"\n".to_vec()].concat()),
            (
                hash(lines(4..5).trim_end().as_bytes()),
                lines(4..5).into_bytes()
            )
        );
    }

    #[test]
    fn what_is_there_twice_or_belongs_to_another_log_is_not_read_again() {
        let (dir, path) = log();
        // As a crash leaves it, before the plain one is removed.
        std::fs::write(dir.path().join("audit.log.000000000000"), lines(0..3)).unwrap();
        std::fs::hard_link(&path, dir.path().join("audit.log.000000000005")).unwrap();
        for other in [
            "audit.log.5",
            "audit.log.000000000001.bak",
            "other.log.000000000001",
            "audit.log.next",
        ] {
            std::fs::write(dir.path().join(other), lines(1..2)).unwrap();
        }
        assert_eq!(places(&path), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_line_that_is_no_record_is_told_with_its_place_and_the_next_is_read() {
        let (_dir, path) = log();
        let long = "x".repeat(3 << 20);
        std::fs::write(
            &path,
            format!("{}text\n{long}\n{}{{", lines(5..6), lines(6..7)),
        )
        .unwrap();
        let told: Vec<_> = read(&path)
            .unwrap()
            .skip(5)
            .map(|entry| match entry {
                Ok(entry) => Ok(entry.seq),
                Err(ReadError::Line { line, fault, .. }) => Err((line, fault)),
                Err(other) => panic!("{other}"),
            })
            .collect();
        assert_eq!(
            told,
            [
                Ok(5),
                Err((2, Fault::Foreign)),
                Err((3, Fault::Long)),
                Ok(6),
                Err((5, Fault::Short))
            ]
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_ends_it() {
        let (dir, path) = log();
        assert!(matches!(
            read(&dir.path().join("none")),
            Err(ReadError::File { .. })
        ));
        std::fs::write(
            dir.path().join("audit.log.000000000000.gz"),
            [0x1f, 0x8b, 1, 2],
        )
        .unwrap();
        let told: Vec<_> = read(&path).unwrap().collect();
        assert!(
            matches!(&*told, [Err(ReadError::File { path, .. })] if path.ends_with("audit.log.000000000000.gz")),
            "{told:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes: Vec<u8>, packed: bool) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("audit.log");
            if packed {
                bytes.splice(0..0, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
            }
            std::fs::write(&path, bytes).unwrap();
            prop_assert!(read(&path).unwrap().all(|entry| entry.is_err()));
        }
    }
}
