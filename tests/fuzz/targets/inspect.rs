//! Inspects, verifies and compares any bytes: the result must be an error or a bounded answer, never a panic.
#![no_main]

use std::io::Cursor;

libfuzzer_sys::fuzz_target!(|archive: &[u8]| {
    let _ = gateway_redact::inspect(&mut Cursor::new(archive), None);
    let _ = gateway_redact::verify(&mut Cursor::new(archive), None);
    let (one, other) = archive.split_at(archive.len() / 2);
    let _ = gateway_redact::compare(&mut Cursor::new(one), &mut Cursor::new(other));
    if let Ok(found) = gateway_redact::compare(&mut Cursor::new(archive), &mut Cursor::new(archive)) {
        assert!(found.same, "an archive differs from itself");
    }
});
