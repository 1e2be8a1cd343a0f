//! Inspects and redacts a valid tar with any contents under the names of a checkpoint's members. So the readers of JSON, page
//! maps, CRIU images, gzip members and nested archives are reached.
#![no_main]

use std::io::Cursor;

use checkpoint_gateway_fuzz::redact;

const NAMES: [&str; 16] = [
    "spec.dump",
    "config.dump",
    "status.dump",
    "container.log",
    "rootfs-diff.tar",
    "bind.mounts",
    "checkpoint/pages-1.img",
    "checkpoint/pagemap-1.img",
    "checkpoint/mm-1.img",
    "checkpoint/core-1.img",
    "checkpoint/pstree.img",
    "checkpoint/inventory.img",
    "checkpoint/files.img",
    "checkpoint/mountpoints-12.img",
    "checkpoint/tmpfs-dev-41.tar.gz.img",
    "io.kubernetes.cri-o.LogPath",
];

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let archive = archive(text);
    let _ = gateway_redact::inspect(&mut Cursor::new(&archive), None);
    redact(&archive);
});

/// Builds a tar. Each member consists of a byte that selects its name, two bytes for its length, and its contents.
fn archive(mut text: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    while let Some((&[name, low, high], rest)) = text.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
        let (contents, rest) = rest.split_at(length);
        let mut header = tar::Header::new_ustar();
        header.set_size(length as u64);
        header.set_mode(0o600);
        builder
            .append_data(
                &mut header,
                NAMES[usize::from(name) % NAMES.len()],
                contents,
            )
            .expect("a tar in memory");
        text = rest;
    }
    builder.into_inner().expect("a tar in memory")
}
