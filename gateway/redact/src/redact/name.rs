/// A member's name as whoever unpacks it takes it: without `.`, doubled slashes and a slash at either end, `..` resolved
/// and never above the top.
pub(super) fn normalise(name: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

/// `name` in words, for errors.
pub(super) fn shown(name: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(name).chars().take(120).collect();
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_name_are_one() {
        for name in [
            "spec.dump",
            "./spec.dump",
            "/spec.dump",
            "a/../spec.dump",
            "../../spec.dump",
            ".//spec.dump/",
        ] {
            assert_eq!(normalise(name.as_bytes()), b"spec.dump", "{name}");
        }
        assert_eq!(
            normalise(b"checkpoint//./pages-1.img"),
            b"checkpoint/pages-1.img"
        );
        assert_eq!(normalise(b"/.."), b"");
    }
}
