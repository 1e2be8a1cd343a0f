//! Secrets in names of files, mounts and sockets, wherever an archive keeps them.

use std::fs::File;
use std::io::{Read, Seek};

use gateway_core::FindingCode;
use gateway_redact::{EnvValue, PathMode, Redacted, Redaction, RedactionSettings, redact_file};

use crate::plans::hide_variables;
use crate::registers::nested;
use crate::specimen::{Members, gunzip, gzip, image, message, read_tar, tar};
use crate::support::{member, tar_of};

const SECRET: &str = "tenant-Qw9eZx7Kp2";
const SPEC: &str = r#"{"process":{"env":["API_KEY=tenant-Qw9eZx7Kp2"],"cwd":"/data/tenant-Qw9eZx7Kp2","args":["app","tenant-Qw9eZx7Kp2"]},"mounts":[{"destination":"/data/tenant-Qw9eZx7Kp2"}]}"#;

fn path() -> String {
    format!("/data/{SECRET}/log")
}

/// A checkpoint that has the same path in every image that has paths.
fn archive() -> Vec<u8> {
    let path = path();
    let name = path.as_bytes();
    let file = [message(&[(1, 7), (2, 2)]), nested(6, name)].concat();
    let socket = [message(&[(1, 8)]), nested(11, name), nested(14, b"/run")].concat();
    let files = [
        [message(&[(1, 1), (2, 7)]), nested(3, &file)].concat(),
        [message(&[(1, 5), (2, 8)]), nested(16, &socket)].concat(),
    ];
    let mount = [
        message(&[(1, 1)]),
        nested(6, b"/"),
        nested(7, name),
        nested(8, b"tmpfs"),
    ]
    .concat();
    let diff = tar_of(&[
        (&path[1..], tar::EntryType::Regular, SECRET.as_bytes()),
        ("link", tar::EntryType::Symlink, name),
    ]);
    let tmpfs = tar_of(&[(&path[1..], tar::EntryType::Regular, b"x")]);
    let mut pages = vec![0; 4096];
    pages[7..7 + name.len()].copy_from_slice(name);
    tar(&[
        ("spec.dump".to_owned(), SPEC.into()),
        ("rootfs-diff.tar".to_owned(), diff),
        ("checkpoint/files.img".to_owned(), image(&files)),
        ("checkpoint/reg-files.img".to_owned(), image(&[file])),
        ("checkpoint/mountpoints-12.img".to_owned(), image(&[mount])),
        (
            "checkpoint/memfd.img".to_owned(),
            image(&[nested(1, SECRET.as_bytes())]),
        ),
        (
            "checkpoint/tmpfs-dev-9.tar.gz.img".to_owned(),
            gzip(&tmpfs, 6),
        ),
        ("checkpoint/pages-1.img".to_owned(), pages),
    ])
}

fn run(paths: PathMode) -> (Members, Redacted) {
    let redaction = Redaction {
        plan: hide_variables("API_*"),
        values: vec![EnvValue {
            name: "API_KEY".to_owned(),
            value: SECRET.into(),
        }],
        settings: RedactionSettings {
            paths,
            ..RedactionSettings::default()
        },
        ..Redaction::default()
    };
    let mut output: File = tempfile::tempfile().unwrap();
    let archive = archive();
    let mut scratch = tempfile::tempfile;
    let redacted = redact_file(
        redaction,
        &mut archive.as_slice(),
        &mut output,
        &mut scratch,
    )
    .unwrap();
    let mut bytes = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut bytes).unwrap();
    (read_tar(&bytes), redacted)
}

fn count(bytes: &[u8], text: &str) -> usize {
    let windows = bytes.windows(text.len());
    windows.filter(|window| *window == text.as_bytes()).count()
}

fn places(redacted: &Redacted, code: FindingCode) -> Vec<&str> {
    let findings = redacted.findings.iter();
    let of_code = findings.filter(|finding| finding.code == code);
    of_code.map(|finding| finding.place.as_str()).collect()
}

#[test]
fn paths_are_masked_alike_everywhere() {
    let (members, redacted) = run(PathMode::Mask);
    let masked = path().replace(SECRET, &"*".repeat(SECRET.len()));
    for (name, times) in [
        ("rootfs-diff.tar", 1),
        ("checkpoint/files.img", 2),
        ("checkpoint/reg-files.img", 1),
        ("checkpoint/mountpoints-12.img", 1),
        ("checkpoint/pages-1.img", 1),
    ] {
        let bytes = member(&members, name);
        assert_eq!(
            (count(&bytes, SECRET), count(&bytes, &masked)),
            (0, times),
            "{name}"
        );
    }
    let tmpfs = gunzip(&member(&members, "checkpoint/tmpfs-dev-9.tar.gz.img"));
    assert_eq!((count(&tmpfs, SECRET), count(&tmpfs, &masked[1..])), (0, 1));
    assert_eq!(count(&member(&members, "spec.dump"), SECRET), 0);
    let broken = places(&redacted, FindingCode::WillNotRestore);
    assert_eq!(
        broken,
        [
            "checkpoint/files.img",
            "checkpoint/mountpoints-12.img",
            "checkpoint/reg-files.img"
        ]
    );
    assert!(places(&redacted, FindingCode::SecretInPath).is_empty());
}

#[test]
fn kept_paths_stay_and_nothing_else_does() {
    let (members, redacted) = run(PathMode::Keep);
    for (name, times) in [
        ("rootfs-diff.tar", 1),
        ("checkpoint/files.img", 2),
        ("checkpoint/reg-files.img", 1),
        ("checkpoint/mountpoints-12.img", 1),
    ] {
        let bytes = member(&members, name);
        assert_eq!(count(&bytes, &path()), times, "{name}");
    }
    // Contents of a file, memory, a name that is no path, and the command line are masked all the same.
    assert_eq!(count(&member(&members, "rootfs-diff.tar"), SECRET), 2);
    for name in ["checkpoint/pages-1.img", "checkpoint/memfd.img"] {
        assert_eq!(count(&member(&members, name), SECRET), 0, "{name}");
    }
    let spec = member(&members, "spec.dump");
    assert_eq!(
        (
            count(&spec, SECRET),
            count(&spec, &format!("/data/{SECRET}"))
        ),
        (2, 2)
    );
    assert_eq!(
        places(&redacted, FindingCode::SecretInPath),
        [
            "checkpoint/files.img",
            "checkpoint/mountpoints-12.img",
            "checkpoint/reg-files.img",
            "checkpoint/tmpfs-dev-9.tar.gz.img",
            "rootfs-diff.tar",
            "spec.dump",
        ]
    );
    assert!(places(&redacted, FindingCode::WillNotRestore).is_empty());
    assert!(!format!("{:?}", redacted.findings).contains(SECRET));
}
