//! Findings about archives: what each kind of fault is called, and that whole archives have none.

use std::io::Cursor;

use gateway_core::{Finding, FindingCode};
use gateway_redact::{Error, Redaction, findings};

use crate::plans::redact;
use crate::specimen::{Members, Runtime, Specimen, image, message, tar};
use crate::support::{literal, only};

const MAP: &str = "checkpoint/pagemap-17.img";

fn specimen() -> Specimen {
    Specimen::new(vec!["PATH=/bin".to_owned()])
}

pub(crate) fn members() -> Members {
    specimen().members(Runtime::Containerd)
}

fn without(name: &str) -> Vec<u8> {
    let mut members = members();
    members.retain(|(member, _)| member != name);
    tar(&members)
}

pub(crate) fn with(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    let mut members = members();
    members.retain(|(member, _)| member != name);
    members.push((name.to_owned(), bytes));
    tar(&members)
}

pub(crate) fn look(archive: &[u8]) -> Vec<Finding> {
    findings(&mut Cursor::new(archive), None).unwrap()
}

pub(crate) fn fatal(archive: &[u8]) -> Vec<FindingCode> {
    let all = look(archive).into_iter();
    all.filter(Finding::is_fatal)
        .map(|finding| finding.code)
        .collect()
}

/// A `core_entry` of a process in this state.
fn core(state: u64) -> Vec<u8> {
    let task = message(&[(1, state)]);
    let mut core = message(&[(1, 1)]);
    core.extend([3 << 3 | 2, u8::try_from(task.len()).unwrap()]);
    core.extend(task);
    image(&[core])
}

fn map(run: &[(u64, u64)]) -> Vec<u8> {
    image(&[message(&[(1, 2)]), message(run)])
}

#[test]
fn whole_archives_of_both_runtimes_have_none() {
    for runtime in [Runtime::Containerd, Runtime::CriO] {
        assert_eq!(look(&specimen().archive(runtime)), []);
    }
}

#[test]
fn each_missing_image_is_fatal_and_named() {
    for name in [
        "inventory",
        "pstree",
        "core-17",
        "core-18",
        "mm-17",
        "pagemap-17",
        "pages-2",
    ] {
        let found = look(&without(&format!("checkpoint/{name}.img")));
        let first = &found[0];
        assert!(first.is_fatal() && first.code == FindingCode::ImageMissing);
        assert!(first.message.contains(name), "{first}");
    }
    assert_eq!(fatal(&without("spec.dump")), [FindingCode::SpecMissing]);
}

#[test]
fn a_dead_process_needs_its_core_alone() {
    for (state, needs) in [(1, true), (3, true), (2, false), (6, false)] {
        let mut members = members();
        members.retain(|(name, _)| {
            ![
                "checkpoint/mm-17.img",
                MAP,
                "checkpoint/pages-2.img",
                "checkpoint/core-17.img",
            ]
            .contains(&name.as_str())
        });
        members.push(("checkpoint/core-17.img".to_owned(), core(state)));
        assert_eq!(!fatal(&tar(&members)).is_empty(), needs, "{state}");
    }
}

#[test]
fn threads_of_a_dead_process_need_nothing() {
    // As CRIU 4.2 writes a zombie: its thread has the number of no process.
    let zombie = message(&[(1, 45), (2, 1), (3, 1), (4, 1), (5, 395_048_832)]);
    for (state, whole) in [(2, true), (1, false)] {
        let mut members = members();
        for (name, bytes) in &mut members {
            if name == "checkpoint/pstree.img" {
                bytes.extend(u32::try_from(zombie.len()).unwrap().to_le_bytes());
                bytes.extend(&zombie);
            }
        }
        members.push(("checkpoint/core-45.img".to_owned(), core(state)));
        assert_eq!(fatal(&tar(&members)).is_empty(), whole, "{state}");
    }
}

#[test]
fn only_a_lone_thread_may_lack_its_core() {
    let tree = |threads: &[u64]| {
        let threads = threads.iter().map(|thread| (5, *thread));
        let fields: Vec<_> = [(1, 1), (2, 0)].into_iter().chain(threads).collect();
        image(&[message(&fields)])
    };
    let specimen = || {
        let mut specimen = specimen();
        specimen.processes.truncate(1);
        specimen.members(Runtime::Containerd)
    };
    for (threads, fatal) in [(&[1][..], false), (&[], false), (&[1, 2], true)] {
        let mut members = specimen();
        members.retain(|(name, _)| !name.contains("core-") && !name.contains("pstree"));
        members.push(("checkpoint/pstree.img".to_owned(), tree(threads)));
        let found = look(&tar(&members));
        assert_eq!(found.iter().any(Finding::is_fatal), fatal, "{found:?}");
        assert_eq!(found[0].code, FindingCode::ImageMissing);
        assert!(found[0].message.contains("core-"), "{found:?}");
    }
}

#[test]
fn an_image_of_no_pages_must_be_there() {
    let empty = |members: &mut Members| {
        members.retain(|(name, _)| name != MAP && name != "checkpoint/pages-2.img");
        members.push((MAP.to_owned(), image(&[message(&[(1, 2)])])));
    };
    let mut without = members();
    empty(&mut without);
    assert_eq!(fatal(&tar(&without)), [FindingCode::ImageMissing]);
    without.push(("checkpoint/pages-2.img".to_owned(), Vec::new()));
    assert_eq!(look(&tar(&without)), []);
}

#[test]
fn pages_must_be_as_many_as_the_maps_say() {
    for (bytes, fits) in [
        (281 * 4096, true),
        (281 * 4096 - 4096, false),
        (281 * 4096 + 4096, false),
        (281 * 2048, false),
        (281 * 5000, false),
        (0, false),
    ] {
        let found = look(&with("checkpoint/pages-2.img", vec![0; bytes]));
        let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
        let expected: &[_] = if fits { &[] } else { &[FindingCode::PageCount] };
        assert_eq!(codes, expected, "{bytes}");
    }
}

#[test]
fn one_machine_has_one_size_of_pages() {
    let found = look(&with("checkpoint/pages-2.img", vec![0; 281 * 16384]));
    assert!(found.len() == 1 && found[0].code == FindingCode::PageCount && found[0].is_fatal());
    let mut specimen = specimen();
    specimen.page = 16384;
    let found = look(&specimen.archive(Runtime::CriO));
    assert_eq!(found.len(), 2);
    let mut codes = found
        .iter()
        .map(|finding| (finding.code, finding.is_fatal()));
    assert!(
        codes.all(|it| it == (FindingCode::PageSize, false)),
        "{found:?}"
    );
}

#[test]
fn images_under_other_names_do_not_count() {
    for (name, other) in [
        ("checkpoint/core-17.img", "checkpoint/core-017.img"),
        ("checkpoint/mm-17.img", "mm-17.img"),
        (MAP, "checkpoint/x/pagemap-17.img"),
    ] {
        let mut members = members();
        for (member, _) in &mut members {
            if member == name {
                other.clone_into(member);
            }
        }
        assert!(
            fatal(&tar(&members)).contains(&FindingCode::ImageMissing),
            "{other}"
        );
    }
}

#[test]
fn pages_elsewhere_are_fatal_and_counted() {
    for (run, code) in [
        (&[(1, 0), (4, 1), (5, 3)][..], FindingCode::PagesInParent),
        (&[(1, 0), (2, 3), (3, 1)], FindingCode::PagesInParent),
        (&[(1, 0), (4, 2), (5, 3)], FindingCode::PagesLazy),
    ] {
        for name in [MAP, "checkpoint/pagemap-shmem-9.img"] {
            let found = look(&with(name, map(run)));
            let finding = found.iter().find(|finding| finding.code == code).unwrap();
            assert!(finding.is_fatal() && finding.message.starts_with("3 pages"));
        }
    }
    // They are in the image, and could have been fetched later, too.
    let pages = map(&[(1, 0), (4, 6), (5, 281)]);
    assert_eq!(look(&with(MAP, pages)), []);
}

#[test]
fn compressed_pages_are_noted_and_never_passed_on_unsearched() {
    for field in 6..=8 {
        for name in [MAP, "checkpoint/pagemap-shmem-9.img"] {
            let archive = with(name, map(&[(1, 0), (4, 4), (5, 281), (field, 9)]));
            assert!(
                look(&archive)
                    .iter()
                    .any(|finding| finding.code == FindingCode::PagesCompressed)
            );
            let plan = only(gateway_core::Place::Memory, literal("x"));
            let redaction = |plan| Redaction {
                plan,
                ..Redaction::default()
            };
            let refused = redact(redaction(plan), &archive).unwrap_err();
            assert!(matches!(refused, Error::Opaque { .. }), "{refused}");
            let logs = only(gateway_core::Place::Logs, literal("x"));
            redact(redaction(logs), &archive).unwrap();
        }
    }
}

#[test]
fn a_member_that_comes_twice_must_be_the_same() {
    let twice = |bytes: &[u8]| {
        let mut members = members();
        members.push(("status.dump".to_owned(), bytes.to_vec()));
        tar(&members)
    };
    let same = look(&twice(br#"{"Pid":1,"ExitCode":0}"#));
    assert!(same.len() == 1 && !same[0].is_fatal());
    for other in [&br#"{"Pid":2,"ExitCode":0}"#[..], b"{}"] {
        assert_eq!(fatal(&twice(other)), [FindingCode::MemberTwice]);
    }
}

#[test]
fn names_that_escape_are_fatal() {
    for name in ["/checkpoint/fs-1.img", "checkpoint/../../x", "../x"] {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(0);
        header.set_cksum();
        let archive = [header.as_bytes().as_slice(), &tar(&members())].concat();
        assert_eq!(fatal(&archive), [FindingCode::NameEscapes], "{name}");
    }
}

#[test]
fn members_that_cannot_be_compared_are_fatal() {
    let mut many = members();
    many.extend((0..1002).map(|_| ("container.log".to_owned(), Vec::new())));
    assert_eq!(fatal(&tar(&many)), [FindingCode::MemberTwice]);
    let mut large = members();
    large.extend((0..2).map(|_| ("core.dump".to_owned(), vec![0; (64 << 20) + 1])));
    assert_eq!(fatal(&tar(&large)), [FindingCode::MemberTwice]);
}

#[test]
fn encrypted_images_are_noted() {
    let found = look(&with("checkpoint/cipher.img", vec![7; 100]));
    assert!(found.len() == 1 && found[0].code == FindingCode::Encrypted);
}

#[test]
fn privileges_and_devices_in_changed_files_are_noted() {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, mode) in [
        ("bin/su", tar::EntryType::Regular, 0o4755),
        ("dev/sda", tar::EntryType::Block, 0o600),
        ("etc/ok", tar::EntryType::Regular, 0o644),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(0);
        builder.append_data(&mut header, name, &b""[..]).unwrap();
    }
    builder
        .append_pax_extensions([("SCHILY.xattr.security.capability", &b"\x01"[..])])
        .unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(0);
    builder
        .append_data(&mut header, "bin/ping", &b""[..])
        .unwrap();
    let diff = builder.into_inner().unwrap();
    for diff in [crate::specimen::gzip(&diff, 6), diff] {
        let found = look(&with("rootfs-diff.tar", diff));
        let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
        let expected = [
            FindingCode::Device,
            FindingCode::Setuid,
            FindingCode::Capabilities,
        ];
        assert_eq!(codes, expected);
        assert!(!found.iter().any(Finding::is_fatal));
    }
}
