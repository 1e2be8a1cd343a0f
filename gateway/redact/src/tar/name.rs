//! Names of members.

/// A member's name as an unpacking reader resolves it: without `.`, doubled slashes and a slash at either end; `..` goes up,
/// but never above the top.
pub(crate) fn normalize(name: &[u8]) -> Vec<u8> {
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

/// Whether a name, as it is written, could lead out of the folder in which it is unpacked.
pub(crate) fn escapes(name: &[u8]) -> bool {
    name.starts_with(b"/") || name.split(|byte| *byte == b'/').any(|part| part == b"..")
}

/// `name` for an error message: short and on one line.
pub(crate) fn for_error(name: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(name).chars().take(120).collect();
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_name_normalize_to_one() {
        for name in [
            "spec.dump",
            "./spec.dump",
            "/spec.dump",
            "a/../spec.dump",
            "../../spec.dump",
            ".//spec.dump/",
        ] {
            assert_eq!(normalize(name.as_bytes()), b"spec.dump", "{name}");
        }
        assert_eq!(
            normalize(b"checkpoint//./pages-1.img"),
            b"checkpoint/pages-1.img"
        );
        assert_eq!(normalize(b"/.."), b"");
    }
}
