//! Names of environment variables, never their values.

use std::collections::BTreeSet;

use super::memory::Piece;

/// Pieces of values that are no names, in bytes; and the shortest whole name that may be one.
const PIECE: usize = 6;
const SHORTEST: usize = 4;
/// Bytes of values that are compared with names.
const MAX_VALUES: usize = 256 << 10;
/// Names that runtimes and shells set, though no specification declares them.
const USUAL: [&[u8]; 11] = [
    b"HOME",
    b"PATH",
    b"HOSTNAME",
    b"PWD",
    b"OLDPWD",
    b"SHLVL",
    b"SHELL",
    b"TERM",
    b"LANG",
    b"USER",
    b"LOGNAME",
];
/// The longest name that is returned, in bytes.
pub(super) const MAX_NAME: usize = 256;

/// The name in `NAME=VALUE`, if Kubernetes would take it. Anything else might be a piece of a value.
pub(super) fn name(variable: &[u8]) -> Option<&[u8]> {
    let name = variable
        .split(|byte| *byte == b'=')
        .next()
        .filter(|name| name.len() < variable.len())?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let starts = name.first().is_some_and(|first| !first.is_ascii_digit());
    (starts && name.len() <= MAX_NAME && name.iter().all(fits)).then_some(name)
}

/// The variables that the specification declares. No `Debug`: it has their values.
#[derive(Default)]
pub(super) struct Declared {
    names: BTreeSet<Vec<u8>>,
    /// The values, one after the other with a NUL between them.
    values: Vec<u8>,
    /// Each piece of [`PIECE`] bytes of a value.
    pieces: BTreeSet<Vec<u8>>,
}

impl Declared {
    pub(super) fn of(environment: &[String]) -> Self {
        let mut declared = Self::default();
        for variable in environment {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            declared.names.insert(name.as_bytes().to_vec());
            if declared.values.len().saturating_add(value.len()) < MAX_VALUES {
                let pieces = value.as_bytes().windows(PIECE);
                declared.pieces.extend(pieces.map(<[u8]>::to_vec));
                declared.values.extend(value.bytes().chain([0]));
            }
        }
        declared
    }

    /// Whether a process's variable can be listed by this name. What has a piece of a value in it is no name: the process has
    /// written something else over its environment.
    pub(super) fn shows(&self, name: &[u8]) -> bool {
        if self.names.contains(name) || USUAL.contains(&name) {
            return true;
        }
        let short = SHORTEST <= name.len() && name.len() < PIECE;
        let is_piece = short && memchr::memmem::find(&self.values, name).is_some();
        !is_piece && !name.windows(PIECE).any(|piece| self.pieces.contains(piece))
    }
}

/// The names in an environment that begins at `start`, in order and each once. Behind a gap, the bytes before the next NUL
/// may be the rest of a value. An empty entry means that the process has put something else there.
pub(super) fn names(start: u64, pieces: &[Piece]) -> Vec<&[u8]> {
    let (mut names, mut seen) = (Vec::new(), BTreeSet::new());
    for piece in pieces {
        let text = piece.bytes.strip_suffix(b"\0").unwrap_or(&piece.bytes);
        let after_gap = usize::from(piece.address != start);
        for entry in text.split(|byte| *byte == 0).skip(after_gap) {
            if entry.is_empty() {
                return names;
            }
            // An entry that is no variable means the same, if it is whole.
            let is_last = entry.as_ptr_range().end == text.as_ptr_range().end;
            let is_cut = is_last && text.len() == piece.bytes.len();
            if !entry.contains(&b'=') && !is_cut {
                return names;
            }
            names.extend(name(entry).filter(|name| seen.insert(*name)));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(pieces: &[(u64, &str)]) -> Vec<String> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|(address, text)| Piece {
                address: *address,
                bytes: text.as_bytes().to_vec(),
            })
            .collect();
        names(100, &pieces)
            .into_iter()
            .map(|name| String::from_utf8(name.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn a_name_ends_at_the_first_equals_sign() {
        assert_eq!(
            names_of(&[(100, "PATH=/bin\0A.b-c_1=x=y\0EMPTY=\0PATH=2\0")]),
            ["PATH", "A.b-c_1", "EMPTY"]
        );
        assert_eq!(names_of(&[(100, "NONE\0=x\x001A=2\0a b=c\0CUT")]), [""; 0]);
    }

    #[test]
    fn a_name_that_has_a_piece_of_a_value_is_not_listed() {
        let spec = [
            "API_KEY=s3cr3t-Qw9eZx7",
            "DB=x7",
            "GREETING=hello PATH and APP_HOME",
        ];
        let declared = Declared::of(&spec.map(str::to_owned));
        for name in ["API_KEY", "PATH", "APP", "SERVICE_PORT", "DB"] {
            assert!(declared.shows(name.as_bytes()), "{name}");
        }
        for name in ["Qw9eZx7", "Qw9eZx7-more", "s3cr3t", "r3t-", "a_Qw9eZx"] {
            assert!(!declared.shows(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn no_name_follows_an_entry_that_is_no_variable() {
        let title = "worker: serving\0eZx7\0tail=1\0";
        assert_eq!(names_of(&[(100, title)]), [""; 0]);
        assert_eq!(names_of(&[(100, "A=1\0rest\0tail=1\0")]), ["A"]);
    }

    #[test]
    fn a_piece_of_a_value_is_never_a_name() {
        assert_eq!(
            names_of(&[(100, "A=val"), (5000, "c2VjcmV0=\0B=2\0")]),
            ["A", "B"]
        );
        assert_eq!(names_of(&[(5000, "c2VjcmV0=\0B=2\0")]), ["B"]);
        assert_eq!(
            names_of(&[(100, "A=1\0\0\0c2VjcmV0=\0B=2\0")]),
            ["A"],
            "a title lies over it"
        );
    }
}
