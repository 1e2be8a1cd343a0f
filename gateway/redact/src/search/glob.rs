//! Globs for names of variables.

/// Whether the whole name matches the glob: `*` stands for any run of bytes, `?` for one, every other byte for itself.
/// Takes time in proportion to both lengths, whatever the glob.
pub(super) fn matches(glob: &[u8], name: &[u8]) -> bool {
    let (mut g, mut n) = (0, 0);
    // The position for a retry if the text after the last star does not fit: one byte further than last time.
    let mut retry = None;
    loop {
        match (glob.get(g), name.get(n)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                g += 1;
                retry = Some((g, n));
            }
            (Some(&want), Some(&have)) if want == b'?' || want == have => (g, n) = (g + 1, n + 1),
            _ => match retry {
                Some((after, at)) if at < name.len() => {
                    (g, n) = (after, at + 1);
                    retry = Some((g, n));
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn matches_stars_and_question_marks() {
        for (glob, name) in [
            ("", ""),
            ("*", ""),
            ("*", "A"),
            ("A*B*B", "ABB"),
            ("*_KEY", "API_KEY"),
            ("A?C", "ABC"),
            ("**", "x"),
        ] {
            assert!(matches(glob.as_bytes(), name.as_bytes()), "{glob} {name}");
        }
        for (glob, name) in [
            ("", "a"),
            ("A*A", "A"),
            ("*KEY", "KEYS"),
            ("A?C", "AC"),
            ("key", "KEY"),
            ("A*B*B", "AB"),
        ] {
            assert!(!matches(glob.as_bytes(), name.as_bytes()), "{glob} {name}");
        }
    }
}
