//! Resolves the names of a tar archive's entries through its symbolic links, as an unpacking reader does.

use std::collections::BTreeMap;

use crate::Error;
use crate::tar::{Member, normalize};

/// The most bytes of names that are kept.
const MAX_BYTES: usize = 16 << 20;
/// The most links that one name is followed through, as in Linux.
const MAX_HOPS: usize = 40;

/// Symbolic links, by their resolved names.
#[derive(Debug, Default)]
pub(super) struct Links {
    targets: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
}

impl Links {
    /// Adds a symbolic link.
    pub(super) fn add(&mut self, link: &Member) -> Result<(), Error> {
        let name = self.resolve(&link.raw_name, false);
        self.bytes = self
            .bytes
            .saturating_add(name.len() + link.raw_link.len() + 96);
        if self.bytes > MAX_BYTES {
            return Err(Error::BadTar(
                "it has too many links to tell what is left out",
            ));
        }
        match self.targets.insert(name, link.raw_link.clone()) {
            Some(before) if before != link.raw_link => Err(Error::BadTar(
                "two links of one name have different targets, so it is unclear what is left out",
            )),
            _ => Ok(()),
        }
    }

    /// The name of the entry that `name` leads to; with `to_end` through the last part of it, too.
    pub(super) fn resolve(&self, name: &[u8], to_end: bool) -> Vec<u8> {
        if self.targets.is_empty() {
            return normalize(name);
        }
        let mut parts: Vec<Vec<u8>> = Vec::new();
        let mut rest: Vec<Vec<u8>> = split(name);
        let mut hops = 0;
        while let Some(part) = rest.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    parts.pop();
                    continue;
                }
                _ => parts.push(part),
            }
            let Some(target) = self.targets.get(&parts.join(&b'/')) else {
                continue;
            };
            let is_last = rest
                .iter()
                .all(|part| matches!(part.as_slice(), b"" | b"."));
            if (is_last && !to_end) || hops == MAX_HOPS {
                continue;
            }
            hops += 1;
            if target.starts_with(b"/") {
                parts.clear();
            } else {
                parts.pop();
            }
            rest.extend(split(target));
        }
        parts.join(&b'/')
    }
}

/// The parts of a name, the last one first.
fn split(name: &[u8]) -> Vec<Vec<u8>> {
    let parts = name.split(|byte| *byte == b'/');
    parts.map(<[u8]>::to_vec).rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(targets: &[(&str, &str)]) -> Links {
        let targets = targets
            .iter()
            .map(|(name, target)| (name.as_bytes().to_vec(), target.as_bytes().to_vec()));
        Links {
            targets: targets.collect(),
            bytes: 0,
        }
    }

    #[test]
    fn follows_links_as_a_reader_does() {
        let links = links(&[
            ("e", "etc"),
            ("var/run", "/run"),
            ("run/x", "../e/./y"),
            ("loop", "loop"),
        ]);
        for (name, to_end, resolved) in [
            ("e/shadow", false, "etc/shadow"),
            ("./e//shadow", false, "etc/shadow"),
            ("e", false, "e"),
            ("e/", false, "e"),
            ("e", true, "etc"),
            ("var/run/x", false, "run/x"),
            ("var/run/x", true, "etc/y"),
            ("var/run/../a", false, "a"),
            ("loop/a", true, "loop/a"),
            ("../../a", true, "a"),
        ] {
            let read = links.resolve(name.as_bytes(), to_end);
            assert_eq!(String::from_utf8_lossy(&read), resolved, "{name}");
        }
    }
}
