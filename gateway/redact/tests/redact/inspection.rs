//! Inspection of archives, and verification of their structure.

use std::io::{Cursor, Read, Seek, SeekFrom};

use gateway_core::{Dialect, Finding, Inspection, Mount};
use gateway_redact::{Error, Redaction, inspect, verify};

use crate::plans::{hide_variables, redact};
use crate::specimen::{PAGE, Runtime, Specimen, image, message, read_tar, tar};

const SECRET: &str = "s3cr3t-battery-staple";

fn specimen() -> Specimen {
    Specimen::new(
        [
            "PATH=/bin".to_owned(),
            format!("TOKEN={SECRET}"),
            "NOTHING".to_owned(),
        ]
        .into(),
    )
}

fn look(archive: &[u8]) -> Inspection {
    inspect(&mut Cursor::new(archive), None).unwrap()
}

#[test]
fn both_runtimes_archives_give_the_same_container() {
    for (runtime, dialect) in [
        (Runtime::Containerd, Dialect::Containerd),
        (Runtime::CriO, Dialect::CriO),
    ] {
        let archive = specimen().archive(runtime);
        let found = look(&archive);
        assert_eq!(found.dialect, Some(dialect));
        assert_eq!(
            (
                found.container.id.as_deref(),
                found.container.name.as_deref()
            ),
            (Some("c"), Some("app"))
        );
        assert_eq!(found.container.pod.as_deref(), Some("cart-0"));
        assert_eq!(found.env, ["PATH", "TOKEN"]);
        let proc = Mount {
            destination: "/proc".to_owned(),
            kind: Some("proc".to_owned()),
            source: Some("proc".to_owned()),
        };
        assert_eq!(
            found.mounts,
            [
                proc,
                Mount {
                    destination: "/data".to_owned(),
                    ..Mount::default()
                }
            ]
        );
        assert_eq!(found.criu.image_version, Some(2));
        assert_eq!(found.criu.architecture.as_deref(), Some("amd64"));
        assert_eq!(found.sizes.archive, archive.len() as u64);
        assert_eq!(found.sizes.memory, 2 * 281 * PAGE as u64);
        assert_eq!(found.sizes.rootfs_files, Some(1));
        let names: Vec<_> = read_tar(&archive)
            .into_iter()
            .map(|(name, bytes)| (name, bytes.len() as u64))
            .collect();
        assert_eq!(
            found
                .members
                .into_iter()
                .map(|member| (member.name, member.bytes))
                .collect::<Vec<_>>(),
            names
        );
        assert!(
            !found.truncated && found.unreadable.is_empty(),
            "{:?}",
            found.unreadable
        );
    }
}

#[test]
fn lists_command_lines_and_names_but_no_values() {
    for runtime in [Runtime::Containerd, Runtime::CriO] {
        let found = look(&specimen().archive(runtime));
        let [first, second] = found.processes.as_slice() else {
            panic!("{:?}", found.processes)
        };
        assert_eq!((first.pid, first.parent, first.threads), (1, 0, 2));
        assert_eq!(
            (second.pid, second.parent, second.command.as_deref()),
            (17, 1, Some("app-17"))
        );
        assert_eq!(
            second.arguments.as_deref().unwrap(),
            ["/app", "--worker=17"]
        );
        assert_eq!(second.env.as_deref().unwrap(), ["PATH", "TOKEN"]);
        assert!(!serde_json::to_string(&found).unwrap().contains(SECRET));
    }
}

#[test]
fn a_redacted_archive_can_be_inspected_and_verified() {
    let plan = hide_variables("TOKEN");
    let archive = specimen().archive(Runtime::Containerd);
    let (redacted, _) = redact(
        Redaction {
            plan,
            ..Redaction::default()
        },
        &archive,
    )
    .unwrap();
    let (before, after) = (look(&archive), look(&redacted));
    assert_eq!((before.processes, before.env), (after.processes, after.env));
    let structure = verify(&mut Cursor::new(redacted), None).unwrap();
    assert!(structure.findings.is_empty() && structure.members == before.member_count);
}

#[test]
fn a_process_title_is_not_taken_for_variables() {
    let mut specimen = specimen();
    // No NUL ends the arguments: the title goes on into the environment.
    specimen.processes[0].environment =
        vec![format!("tail of the title {SECRET}="), "LEFT=1".to_owned()];
    let mut members = specimen.members(Runtime::Containerd);
    let pages = &mut members
        .iter_mut()
        .find(|(name, _)| name.ends_with("pages-1.img"))
        .unwrap()
        .1;
    let at = 280 * PAGE + 100 + "/app\0--worker=1".len();
    assert_eq!(pages[at], 0);
    pages[at] = b'!';
    let found = look(&tar(&members));
    assert_eq!(found.processes[0].env, None);
    assert_eq!(
        found.processes[0].arguments.as_deref().unwrap(),
        ["/app", "--worker=1!"]
    );
    assert_eq!(
        found.processes[1].env.as_deref().unwrap(),
        ["PATH", "TOKEN"]
    );
}

#[test]
fn lists_unreadable_images_and_reads_the_rest() {
    for name in ["core-17", "mm-17", "pagemap-17", "pstree", "inventory"] {
        let name = format!("checkpoint/{name}.img");
        let mut members = specimen().members(Runtime::CriO);
        members
            .iter_mut()
            .find(|(member, _)| *member == name)
            .unwrap()
            .1 = b"\xff".repeat(100);
        let found = look(&tar(&members));
        assert_eq!(found.unreadable, [name]);
        assert_eq!(found.env, ["PATH", "TOKEN"]);
        // An address space or an inventory that cannot be read is CRIU's to refuse.
        let fatal = ["pagemap", "core", "pstree"];
        let fatal = fatal.iter().any(|kind| found.unreadable[0].contains(kind));
        assert_eq!(
            found.findings.iter().any(Finding::is_fatal),
            fatal,
            "{:?}",
            found.findings
        );
    }
}

#[test]
fn a_wrong_page_map_reads_nothing_else_of_the_archive() {
    let mut members = specimen().members(Runtime::CriO);
    let map = image(&[
        message(&[(1, 2)]),
        message(&[(1, 0x7fff_f000_0000), (2, 0), (4, 4), (5, u64::MAX)]),
    ]);
    members
        .iter_mut()
        .find(|(name, _)| name.ends_with("pagemap-17.img"))
        .unwrap()
        .1 = map;
    let archive = tar(&members);
    let found = look(&archive);
    assert_eq!(found.processes[1].arguments, None);
    assert_eq!(found.unreadable, ["checkpoint/pagemap-17.img"]);
    let findings = found.findings;
    assert!(
        findings[0]
            .message
            .contains("`pages-2.img` has 1150976 bytes for 18446744073709551615 pages"),
        "{findings:?}"
    );
}

#[test]
fn refuses_to_verify_a_truncated_archive() {
    let archive = specimen().archive(Runtime::Containerd);
    let check = |archive: &[u8]| verify(&mut Cursor::new(archive), None);
    assert!(check(&archive).unwrap().findings.is_empty());
    let shorter = archive.len() - 1024 - PAGE;
    assert!(matches!(check(&archive[..shorter]), Err(Error::Truncated)));
    assert!(matches!(
        check(&[&archive, &b"more"[..]].concat()),
        Err(Error::BadTar(_))
    ));
    assert!(matches!(check(b""), Err(Error::Truncated)));
}

/// Counts what is read of it.
struct Counted(Cursor<Vec<u8>>, u64);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.read(buffer)?;
        self.1 += length as u64;
        Ok(length)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn seeks_over_memory_and_does_not_read_it() {
    let mut specimen = specimen();
    specimen.processes[0].heap = vec![7; 64 << 20];
    let mut archive = Counted(Cursor::new(specimen.archive(Runtime::Containerd)), 0);
    assert_eq!(inspect(&mut archive, None).unwrap().processes.len(), 2);
    assert!(archive.1 < 6 << 20, "{}", archive.1);
}
