//! Inspects and verifies any bytes: the result must be an error or a bounded answer, never a panic.
#![no_main]

use std::io::Cursor;

libfuzzer_sys::fuzz_target!(|archive: &[u8]| {
    let _ = gateway_redact::inspect(&mut Cursor::new(archive), None);
    let _ = gateway_redact::verify(&mut Cursor::new(archive), None);
});
