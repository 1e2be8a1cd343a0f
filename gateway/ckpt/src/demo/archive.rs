//! Reads the archive of the demo's checkpoint and counts the secret in it.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use gateway_core::{Checkpoint, Masked};
use serde_json::Value;

use super::client::Answer;
use crate::digest;

/// An archive as it is on disk; only `metadata` is the gateway's word.
pub(super) struct Archive {
    /// The metadata file beside it.
    pub(super) metadata: Checkpoint,
    pub(super) bytes: u64,
    /// The file's SHA-256 in hex.
    pub(super) sha256: String,
    /// The permissions of the file and of its folder.
    pub(super) modes: (u32, u32),
    pub(super) members: Vec<Member>,
}

/// A member of the archive.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// The copies of the secret in it.
    pub(super) copies: usize,
}

impl Archive {
    /// The copies of the secret in the members for which `which` is true.
    pub(super) fn copies(&self, which: impl Fn(&Member) -> bool) -> usize {
        self.members
            .iter()
            .filter(|member| which(member))
            .map(|member| member.copies)
            .sum()
    }

    /// The rules that masked something, with the number of masks by place.
    pub(super) fn hidden(&self) -> impl Iterator<Item = (&str, Vec<(&'static str, Masked)>)> {
        let rules = self
            .metadata
            .redaction
            .iter()
            .flat_map(|summary| &summary.rules);
        rules.filter(|rule| !rule.places.is_empty()).map(|rule| {
            let places = rule
                .places
                .iter()
                .map(|(place, masked)| (place.as_str(), *masked));
            (rule.name.as_str(), places.collect())
        })
    }
}

/// Reads the archive that `answer` names, and counts the copies of `secret` in it.
pub(super) fn read(answer: &Answer, secret: &str) -> Result<Archive> {
    let named = answer.body.pointer("/items/0").and_then(Value::as_str);
    let path = PathBuf::from(named.context("the answer does not name an archive")?);
    let cannot = || format!("cannot read `{}`", path.display());
    let mut file = File::open(&path).with_context(cannot)?;
    let (bytes, sha256) = digest::of(&mut file).with_context(cannot)?;
    file.rewind().with_context(cannot)?;
    Ok(Archive {
        metadata: metadata(&path)?,
        bytes,
        sha256,
        modes: (mode(&path)?, mode(path.parent().unwrap_or(&path))?),
        members: members(file, secret.as_bytes()).with_context(cannot)?,
    })
}

fn metadata(archive: &Path) -> Result<Checkpoint> {
    let mut name = archive.as_os_str().to_owned();
    name.push(".json");
    let text = fs::read(&name).with_context(|| format!("cannot read `{}`", name.display()))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is not the metadata of a checkpoint", name.display()))
}

fn mode(path: &Path) -> Result<u32> {
    let metadata =
        fs::metadata(path).with_context(|| format!("cannot inspect `{}`", path.display()))?;
    Ok(metadata.permissions().mode() & 0o7777)
}

fn members(file: File, secret: &[u8]) -> io::Result<Vec<Member>> {
    let mut members = Vec::new();
    for entry in tar::Archive::new(file).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents)?;
        members.push(Member {
            name,
            bytes: contents.len() as u64,
            copies: count(&contents, secret),
        });
    }
    Ok(members)
}

fn count(contents: &[u8], secret: &[u8]) -> usize {
    if secret.is_empty() {
        return 0;
    }
    contents
        .windows(secret.len())
        .filter(|window| *window == secret)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_all_copies() {
        assert_eq!(count(b"key: s3cret\0s3crets3cret", b"s3cret"), 3);
        assert_eq!(count(b"s3cre", b"s3cret"), 0);
        assert_eq!(count(b"anything", b""), 0, "an empty secret has no copies");
    }
}
