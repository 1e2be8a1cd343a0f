//! Secrets in names of files and in targets of links.

use gateway_core::{MaskRule, Pattern, Place, Plan};
use gateway_redact::Redaction;
use tar::{Builder, EntryType, Header};

use crate::plans::{redact, rule};
use crate::specimen::{gunzip, gzip, read_tar, tar};

const SECRET: &str = "open-sesame-now";

fn hiding(place: Place) -> Redaction {
    let secret = rule("secret", Pattern::Literal(SECRET.into()));
    let mask = vec![MaskRule {
        places: [place].into(),
        ..secret
    }];
    Redaction {
        plan: Plan {
            mask,
            ..Plan::default()
        },
        ..Redaction::default()
    }
}

/// A name of which the header holds only a part of the secret.
fn long() -> String {
    format!("{}/{SECRET}-{}", "d".repeat(89), "f".repeat(40))
}

fn masked(name: &str) -> String {
    name.replace(SECRET, &"*".repeat(SECRET.len()))
}

fn put(builder: &mut Builder<Vec<u8>>, mut header: Header, contents: &[u8]) {
    header.set_size(contents.len() as u64);
    header.set_mode(0o600);
    header.set_cksum();
    builder.append(&header, contents).unwrap();
}

fn header(kind: EntryType, path: &str) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_path(path).unwrap();
    header
}

/// With every way in which a tar can tell a name.
fn files() -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    put(
        &mut builder,
        header(EntryType::Regular, &format!("tmp/{SECRET}")),
        b"1",
    );
    put(
        &mut builder,
        header(EntryType::Regular, &format!("{SECRET}/{}", "e".repeat(90))),
        b"2",
    );
    let mut link = header(EntryType::Symlink, "tmp/link");
    link.set_link_name(format!("/run/{SECRET}")).unwrap();
    put(&mut builder, link, b"");
    let mut file = Header::new_gnu();
    file.set_size(0);
    builder
        .append_data(&mut file.clone(), long(), &b""[..])
        .unwrap();
    let mut link = file;
    link.set_entry_type(EntryType::Symlink);
    builder.append_link(&mut link, "tmp/long", long()).unwrap();
    builder
        .append_pax_extensions([("path", long().as_bytes()), ("linkpath", SECRET.as_bytes())])
        .unwrap();
    put(
        &mut builder,
        header(EntryType::Regular, &long()[..99]),
        b"3",
    );
    put(
        &mut builder,
        header(EntryType::Regular, "etc/hostname"),
        b"cart-0",
    );
    builder.into_inner().unwrap()
}

fn names(archive: &[u8]) -> Vec<(String, Option<String>)> {
    let mut archive = tar::Archive::new(archive);
    let text = |path: std::borrow::Cow<'_, std::path::Path>| path.to_str().unwrap().to_owned();
    let name = |entry: tar::Entry<'_, _>| {
        (
            text(entry.path().unwrap()),
            entry.link_name().unwrap().map(text),
        )
    };
    archive
        .entries()
        .unwrap()
        .map(|entry| name(entry.unwrap()))
        .collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn masks_names_of_files_and_targets_of_links() {
    let files = files();
    assert!(holds(&files, &SECRET[..10]) && names(&files).len() == 7);
    for (packed, unpack) in [
        (files.clone(), None),
        (gzip(&files, 4), Some(gunzip as fn(&[u8]) -> Vec<u8>)),
    ] {
        let archive = tar(&[("rootfs-diff.tar".to_owned(), packed)]);
        let (redacted, summary) = redact(hiding(Place::Files), &archive).unwrap();
        let written = read_tar(&redacted).remove(0).1;
        let written = unpack.map_or(written.clone(), |unpack| unpack(&written));
        // Not even the part that fitted into the header of a name that did not.
        assert!(!holds(&written, &SECRET[..6]));
        let expected = names(&files)
            .into_iter()
            .map(|(name, link)| (masked(&name), link.as_deref().map(masked)));
        assert_eq!(names(&written), expected.collect::<Vec<_>>());
        assert_eq!(written.len(), files.len());
        assert!(
            summary.rules[0].places[&Place::Files].masks >= 7,
            "{summary:?}"
        );
    }
}

#[test]
fn names_stay_where_no_rule_searches_files() {
    let archive = tar(&[("rootfs-diff.tar".to_owned(), files())]);
    let (redacted, _) = redact(hiding(Place::Memory), &archive).unwrap();
    assert!(redacted == archive);
}

#[test]
fn known_members_keep_their_names() {
    for name in ["checkpoint/open-sesame-now.img", "open-sesame-now"] {
        let archive = tar(&[(name.to_owned(), b"0".to_vec())]);
        let (redacted, _) = redact(hiding(Place::Files), &archive).unwrap();
        assert_eq!(read_tar(&redacted)[0].0, masked(name));
    }
    for name in [
        "checkpoint/core-17.img",
        "checkpoint/pagemap-shmem-3.img",
        "container.log",
    ] {
        let archive = tar(&[(name.to_owned(), b"0".to_vec())]);
        let plan = Plan {
            mask: vec![rule("name", Pattern::Literal(name.into()))],
            ..Plan::default()
        };
        let (redacted, _) = redact(
            Redaction {
                plan,
                ..Redaction::default()
            },
            &archive,
        )
        .unwrap();
        assert!(redacted == archive);
    }
}
