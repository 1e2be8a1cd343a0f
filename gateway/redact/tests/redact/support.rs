//! Short ways to write plans and archives.

use gateway_core::{DropRule, MaskRule, Pattern, Place, Plan};
use gateway_redact::{Error, Redaction};
use tar::{EntryType, Header};

use crate::plans::{redact, rule};
use crate::specimen::{Members, Specimen, read_tar, tar};

pub(crate) fn only(place: Place, pattern: Pattern) -> Plan {
    Plan {
        mask: vec![MaskRule {
            places: [place].into(),
            ..rule("rule", pattern)
        }],
        ..Plan::default()
    }
}

pub(crate) fn literal(text: &str) -> Pattern {
    Pattern::Literal(text.into())
}

pub(crate) fn drop_entry(entry: &str) -> Plan {
    Plan {
        drop: vec![DropRule {
            name: "drop".to_owned(),
            entry: entry.to_owned(),
        }],
        ..Plan::default()
    }
}

pub(crate) fn run(plan: Plan, archive: &[u8]) -> Result<Members, Error> {
    redact(
        Redaction {
            plan,
            ..Redaction::default()
        },
        archive,
    )
    .map(|(bytes, _)| read_tar(&bytes))
}

pub(crate) fn member(members: &Members, name: &str) -> Vec<u8> {
    members
        .iter()
        .find(|(member, _)| member == name)
        .unwrap()
        .1
        .clone()
}

pub(crate) fn one(name: &str, bytes: &[u8]) -> Vec<u8> {
    tar(&[(name.to_owned(), bytes.to_vec())])
}

/// An archive of these members as they are, unchecked by the `tar` crate. A link's bytes say where it points.
pub(crate) fn tar_of(members: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, kind, bytes) in members {
        let link = matches!(kind, EntryType::Link | EntryType::Symlink) && bytes.len() <= 100;
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(if link { 0 } else { bytes.len() as u64 });
        if link {
            header.as_mut_bytes()[157..157 + bytes.len()].copy_from_slice(bytes);
        }
        header.set_cksum();
        archive.extend(header.as_bytes());
        if !link {
            archive.extend(*bytes);
            archive.resize(archive.len().next_multiple_of(512), 0);
        }
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// A checkpoint whose environment has values of all kinds.
pub(crate) fn variables() -> Specimen {
    Specimen::new(
        [
            "PATH=/bin",
            "PIN=123",
            "TOKEN=s3cr3t-\"\\\u{fc}-token",
            "EMPTY=",
            "TOKENLESS",
        ]
        .map(str::to_owned)
        .into(),
    )
}
