//! Redacts any bytes as memory pages that CRIU compressed, listed by a page map with any entries.
#![no_main]

use checkpoint_gateway_fuzz::{redact, tar};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&[entries, low, high], rest)) = input.split_first_chunk() else {
        return;
    };
    let (mut map, mut rest) = (vec![0x19, 0x43, 0x56, 0x54, 0x25, 0x40, 0x08, 0x56], rest);
    map.extend([2, 0, 0, 0, 8, 1]);
    for _ in 0..entries % 4 {
        let length = usize::from(u16::from_le_bytes([low, high])) % 64;
        let Some((entry, more)) = rest.split_at_checked(length) else {
            break;
        };
        map.extend(u32::try_from(entry.len()).unwrap_or_default().to_le_bytes());
        map.extend(entry);
        rest = more;
    }
    // One compressed page whose length is what is left.
    let length = u16::try_from(rest.len()).unwrap_or(u16::MAX) & 0x3fff;
    let varint = [(length & 0x7f) as u8 | 0x80, (length >> 7) as u8];
    map.extend([11, 0, 0, 0, 8, 0, 16, 1, 32, 4, 40, 1, 48]);
    map.extend(varint);
    redact(&tar(&[
        ("checkpoint/pagemap-1.img", &map),
        ("checkpoint/pages-1.img", rest),
    ]));
});
