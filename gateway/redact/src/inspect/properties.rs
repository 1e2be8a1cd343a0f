//! Properties of inspection that hold for any archive.

use std::io::Cursor;

use gateway_core::Inspection;
use proptest::prelude::*;

use super::inspect;
use crate::{Error, verify};

const NAMES: [&str; 17] = [
    "checkpoint/pstree.img",
    "checkpoint/core-1.img",
    "checkpoint/mm-1.img",
    "checkpoint/pagemap-1.img",
    "checkpoint/pages-1.img",
    "checkpoint/ids-1.img",
    "checkpoint/fs-1.img",
    "checkpoint/fdinfo-1.img",
    "checkpoint/files.img",
    "stats-dump",
    "checkpoint/inventory.img",
    "config.dump",
    "spec.dump",
    "dump.log",
    "rootfs-diff.tar",
    "status",
    "bind.mounts",
];

fn tar(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        builder
            .append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

fn look(archive: Vec<u8>) -> Result<Inspection, Error> {
    inspect(&mut Cursor::new(archive), None)
}

fn image(entries: &[Vec<u8>]) -> Vec<u8> {
    let entry = |entry: &Vec<u8>| {
        [
            &u32::try_from(entry.len()).unwrap().to_le_bytes()[..],
            entry,
        ]
        .concat()
    };
    [vec![0; 8], entries.iter().flat_map(entry).collect()].concat()
}

/// Bytes that are nearly messages.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let field = (
        1u8..16,
        prop_oneof![Just(0u64), Just(4), 0..1u64 << 14, any::<u64>()],
    );
    prop::collection::vec(field, 0..8).prop_map(|fields| {
        let mut message = Vec::new();
        for (number, mut value) in fields {
            message.push(number << 3);
            while value >= 0x80 {
                message.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
                value >>= 7;
            }
            message.push(u8::try_from(value).unwrap());
        }
        message
    })
}

fn contents() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..600),
        prop::collection::vec(message(), 0..6).prop_map(|entries| image(&entries)),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6)
            .prop_map(|entries| image(&entries)),
        Just(vec![b'['; 100_000]),
        Just(br#"{"value":"!","process":{"env":["A=1"]}}"#.to_vec()),
        Just(vec![0; 8192]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_in_members_gives_a_bounded_answer(
        members in prop::collection::vec((prop::sample::select(&NAMES[..]), contents()), 0..12),
    ) {
        let found = look(tar(&members)).unwrap();
        prop_assert_eq!(found.member_count, members.len() as u64);
        let text = serde_json::to_string(&found).unwrap();
        let bounded = text.len() < 100_000 && !text.contains('\u{1b}');
        prop_assert!(bounded);
    }

    #[test]
    fn a_damaged_archive_is_never_taken_for_a_whole_one(
        members in prop::collection::vec((prop::sample::select(&NAMES[..]), contents()), 1..6),
        cut in any::<prop::sample::Index>(),
        garbled in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut archive = tar(&members);
        let at = garbled.index(archive.len());
        archive[at] ^= 1 << bit;
        let _ = (look(archive.clone()), verify(&mut Cursor::new(&archive), None));
        archive.truncate(cut.index(archive.len()));
        let whole = verify(&mut Cursor::new(&archive), None).is_ok();
        prop_assert!(look(archive).is_ok() || !whole, "an archive that is whole can be inspected");
    }
}

#[test]
fn a_large_process_tree_with_duplicates_is_bounded() {
    let entry = |pid: u64| {
        let mut entry = vec![8];
        entry.extend([
            u8::try_from(pid & 0x7f).unwrap() | 0x80,
            u8::try_from(pid >> 7 & 0x7f).unwrap() | 0x80,
        ]);
        entry.push(u8::try_from(pid >> 14).unwrap());
        entry
    };
    let tree = image(&(0..30_000).map(|at| entry(at % 20_000)).collect::<Vec<_>>());
    let found = look(tar(&[("checkpoint/pstree.img", tree)])).unwrap();
    assert_eq!(found.processes.len(), 10_000);
    assert!(found.truncated && found.unreadable.is_empty());
}

#[test]
fn a_missing_end_is_an_error() {
    let archive = tar(&[("config.dump", vec![b' '; 600])]);
    for length in [0, 512, 1024, 1536] {
        assert!(
            matches!(look(archive[..length].to_vec()), Err(Error::Truncated)),
            "{length}"
        );
    }
    assert!(matches!(look(vec![1; 1024]), Err(Error::BadTar(_))));
}
