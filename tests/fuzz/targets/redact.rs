//! Redacts any bytes: the result must be an error or a valid archive, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|archive: &[u8]| checkpoint_gateway_fuzz::redact(archive));
