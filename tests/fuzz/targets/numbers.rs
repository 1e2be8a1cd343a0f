//! Redacts images of processor state and of files with any entry: numbers are masked in their old lengths, or the image is
//! refused.
#![no_main]

use checkpoint_gateway_fuzz::redact;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let mut builder = tar::Builder::new(Vec::new());
    for name in ["checkpoint/core-1.img", "checkpoint/files.img"] {
        let image = image(text);
        let mut header = tar::Header::new_ustar();
        header.set_size(image.len() as u64);
        header.set_mode(0o600);
        builder
            .append_data(&mut header, name, image.as_slice())
            .expect("a tar in memory");
    }
    redact(&builder.into_inner().expect("a tar in memory"));
});

/// An image with one entry: CRIU's common magic, one of the kind, the entry's length, the entry.
fn image(entry: &[u8]) -> Vec<u8> {
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
    let magics = [0x5456_4319_u32, 0x5505_3847, length];
    let head = magics.into_iter().flat_map(u32::to_le_bytes);
    head.chain(entry.iter().copied()).collect()
}
