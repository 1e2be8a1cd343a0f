//! Globs for names: `*` matches any text, including none; every other character matches itself.

/// Whether the whole name matches the glob. The time is linear in both lengths.
pub fn matches(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    let middle = parts.try_fold(rest, |rest, part| {
        rest.split_once(part).map(|(_, after)| after)
    });
    middle.is_some_and(|rest| rest.ends_with(last))
}

/// Whether the whole name matches one of the globs.
pub fn matches_any(globs: &[String], name: &str) -> bool {
    globs.iter().any(|glob| matches(glob, name))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_matches_any_text() {
        for (glob, name) in [
            ("", ""),
            ("*", ""),
            ("*", "shop"),
            ("shop", "shop"),
            ("shop-*", "shop-"),
            ("*-prod", "a-prod"),
            ("a*c*e", "abcde"),
            ("a*b*b", "abb"),
            ("**", "x"),
            ("*o*", "shop"),
        ] {
            assert!(matches(glob, name), "{glob} {name}");
        }
        for (glob, name) in [
            ("", "a"),
            ("shop", "shops"),
            ("shop", "ashop"),
            ("shop-*", "shop"),
            ("a*a", "a"),
            ("a*b*b", "ab"),
            ("shop?", "shops"),
            ("[s]hop", "shop"),
            ("SHOP", "shop"),
            ("a*c*e", "abcd"),
        ] {
            assert!(!matches(glob, name), "{glob} {name}");
        }
    }
}
