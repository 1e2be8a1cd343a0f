//! Lists the findings about a valid tar with any contents and kinds under the names that findings read: the list must be
//! bounded, the same each time, and without control characters.
#![no_main]

use std::io::Cursor;

use gateway_core::Target;
use gateway_redact::{Owner, findings, verify};

const NAMES: [&str; 16] = [
    "spec.dump",
    "config.dump",
    "status.dump",
    "container.log",
    "rootfs-diff.tar",
    "checkpoint/",
    "checkpoint/parent",
    "checkpoint/pages-1.img",
    "checkpoint/pagemap-1.img",
    "checkpoint/pagemap-shmem-7.img",
    "checkpoint/mm-1.img",
    "checkpoint/core-1.img",
    "checkpoint/core-2.img",
    "checkpoint/pstree.img",
    "checkpoint/inventory.img",
    "../escaped",
];
const KINDS: [u8; 8] = *b"00000235";
/// 100 of each severity, and one that stands for the rest.
const MOST: usize = 201;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let archive = archive(text);
    let target = Target::new("shop", "cart-0", "app").expect("a target");
    let owner = Owner {
        target: &target,
        pod_uid: "1",
        named_by: "the request",
    };
    let Ok(found) = findings(&mut Cursor::new(&archive), Some(owner)) else {
        return;
    };
    assert!(found.len() <= MOST);
    let plain = |text: &str| text.len() <= 2048 && !text.chars().any(char::is_control);
    assert!(
        found
            .iter()
            .all(|finding| plain(&finding.place) && plain(&finding.message))
    );
    let verified = verify(&mut Cursor::new(&archive), Some(owner)).expect("it was read before");
    assert_eq!(verified.findings, found);
});

/// Builds a tar. Each member consists of a byte that selects its name and kind, two bytes for its length, and its contents.
fn archive(mut text: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    while let Some((&[choice, low, high], rest)) = text.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
        let (contents, rest) = rest.split_at(length);
        let name = NAMES[usize::from(choice) % NAMES.len()];
        let mut header = tar::Header::new_ustar();
        header.set_size(length as u64);
        header.set_mode(u32::from(low));
        header.as_old_mut().linkflag = [KINDS[usize::from(choice / 16) % KINDS.len()]];
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, contents).expect("a tar in memory");
        text = rest;
    }
    builder.into_inner().expect("a tar in memory")
}
