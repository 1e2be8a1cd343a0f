//! Names of environment variables, never their values.

use std::collections::BTreeSet;

use super::memory::Piece;

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
