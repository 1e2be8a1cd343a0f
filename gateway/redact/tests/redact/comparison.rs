//! Comparison of two archives.

use std::io::Cursor;

use gateway_redact::{Comparison, PageCounts, compare};
use proptest::prelude::*;

use crate::specimen::{Members, PAGE, Runtime, Specimen, image, message, tar};

const SECRET: &str = "s3cr3t-battery-staple";

fn specimen() -> Specimen {
    Specimen::new(vec!["PATH=/bin".to_owned(), format!("TOKEN={SECRET}")])
}

fn differences(one: &Members, other: &Members) -> Comparison {
    compare(&mut Cursor::new(tar(one)), &mut Cursor::new(tar(other))).unwrap()
}

fn between(one: &Specimen, other: &Specimen) -> Comparison {
    differences(
        &one.members(Runtime::Containerd),
        &other.members(Runtime::Containerd),
    )
}

#[test]
fn an_archive_is_the_same_as_itself() {
    let found = between(&specimen(), &specimen());
    assert!(found.same && found.not_compared.is_empty(), "{found:?}");
    let pages = PageCounts {
        equal: 281,
        ..PageCounts::default()
    };
    assert_eq!(found.memory.len(), 2);
    assert_eq!(
        (found.memory[0].pages, found.memory[0].page_size),
        (pages, PAGE as u64)
    );
}

#[test]
fn counts_pages_that_are_changed_new_and_gone() {
    let (before, mut after) = (specimen(), specimen());
    after.processes[0].heap[0] ^= 1;
    after.processes[0].heap[3 * PAGE + 7] ^= 1;
    after.processes[0].heap.extend(vec![7; 2 * PAGE]);
    after.processes[1].heap.truncate(100 * PAGE);
    let found = between(&before, &after);
    assert!(!found.same);
    let first = PageCounts {
        equal: 279,
        changed: 2,
        new: 2,
        gone: 0,
    };
    let second = PageCounts {
        equal: 101,
        gone: 180,
        ..PageCounts::default()
    };
    assert_eq!(
        [found.memory[0].pages, found.memory[1].pages],
        [first, second]
    );
}

#[test]
fn names_variables_mounts_files_and_processes_without_values() {
    let (before, mut after) = (specimen(), specimen());
    after.environment.push(format!("OTHER={SECRET}"));
    after.rootfs[0].1 = b"cart-1\n".to_vec();
    after.rootfs.push(("etc/new".to_owned(), SECRET.into()));
    after.processes[1].pid = 18;
    after.processes[0].arguments.push(SECRET.to_owned());
    let found = between(&before, &after);
    assert_eq!(found.env.new, ["OTHER"]);
    assert_eq!(found.files.presence.new, ["etc/new"]);
    assert_eq!(found.files.changed, ["etc/hostname"]);
    let changes: Vec<_> = found
        .processes
        .iter()
        .map(|change| (change.pid, change.change))
        .collect();
    assert_eq!(changes, [(1, "changed"), (17, "gone"), (18, "new")]);
    assert_eq!(found.processes[0].fields, ["arguments"]);
    assert!(!serde_json::to_string(&found).unwrap().contains(SECRET));
    let back = between(&after, &before);
    assert_eq!(back.env.gone, ["OTHER"]);
}

#[test]
fn pages_are_counted_by_mapping() {
    let mapped = |members: &mut Members| {
        let mapping = |start: u64, end: u64, status: u64| {
            let body = message(&[(1, start), (2, end), (3, 0), (4, 0), (7, status)]);
            [vec![14 << 3 | 2, u8::try_from(body.len()).unwrap()], body].concat()
        };
        let heap = 0x5555_0000_0000;
        let entry = [
            message(&[(1, 0), (8, 0), (9, 0), (10, 0), (11, 0)]),
            mapping(heap, heap + 10 * 4096, 1 << 9 | 1),
            mapping(heap + 10 * 4096, heap + 300 * 4096, 1 << 5 | 1),
        ];
        let space = members
            .iter_mut()
            .find(|(name, _)| name == "checkpoint/mm-1.img");
        space.unwrap().1 = image(&[entry.concat()]);
    };
    let (mut before, mut after) = (specimen(), specimen());
    before.processes.truncate(1);
    after.processes.truncate(1);
    after.processes[0].heap[12 * PAGE] ^= 1;
    let (mut before, mut after) = (before.members(Runtime::CriO), after.members(Runtime::CriO));
    mapped(&mut before);
    mapped(&mut after);
    let found = differences(&before, &after);
    let mappings: Vec<_> = found.memory[0]
        .mappings
        .iter()
        .map(|mapping| {
            (
                mapping.name.as_str(),
                mapping.pages.equal,
                mapping.pages.changed,
            )
        })
        .collect();
    assert_eq!(mappings, [("[anonymous]", 10, 0), ("[heap]", 269, 1)]);
    assert_eq!(
        found.memory[0].mappings[0].range,
        "555500000000-55550000a000"
    );
    assert_eq!(found.memory[0].pages.equal, 280, "and a page of stack");
}

#[test]
fn memory_that_cannot_be_located_is_named() {
    let before = specimen().members(Runtime::CriO);
    let mut after = before.clone();
    let map = after
        .iter_mut()
        .find(|(name, _)| name.ends_with("pagemap-17.img"));
    map.unwrap().1 = image(&[
        message(&[(1, 2)]),
        message(&[(1, 0), (4, 4), (5, u64::MAX)]),
    ]);
    let found = differences(&before, &after);
    assert_eq!(found.memory.len(), 1);
    assert!(found.not_compared[0].contains("process 17"), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damaged_archives_give_an_answer_or_an_error(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut specimen = specimen();
        for process in &mut specimen.processes {
            process.heap.truncate(2 * PAGE);
        }
        let whole = specimen.archive(Runtime::Containerd);
        let mut damaged = whole.clone();
        for (at, byte) in flips {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        let _ = compare(&mut Cursor::new(&whole), &mut Cursor::new(&damaged));
        if let Ok(found) = compare(&mut Cursor::new(&damaged), &mut Cursor::new(&damaged)) {
            prop_assert!(found.same, "{:?}", found);
        }
    }
}
