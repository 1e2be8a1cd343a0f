//! Redacts a file of the changed root file system that holds any bytes behind the magic of an archive or a compressed stream, and
//! the same file as a member of the checkpoint.
#![no_main]

use checkpoint_gateway_fuzz::{redact, tar};

/// The beginnings of formats that are unpacked.
const STARTS: [&[u8]; 9] = [
    b"",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"\x50\x2a\x4d\x18",
    b"\xfd7zXZ\0",
    b"BZh91AY&SY",
    b"\x04\x22\x4d\x18",
    b"PK\x03\x04",
    b"PK\x05\x06",
];

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((start, rest)) = input.split_first() else {
        return;
    };
    let start = STARTS[usize::from(*start) % STARTS.len()];
    let file = [start, rest].concat();
    let diff = tar(&[("file", &file), ("next", b"open-sesame")]);
    redact(&tar(&[("rootfs-diff.tar", &diff)]));
    redact(&tar(&[("volumes/data", &file)]));
});
