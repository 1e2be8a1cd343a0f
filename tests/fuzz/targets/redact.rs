//! Any bytes as an archive: an error or an archive that is whole, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|archive: &[u8]| checkpoint_gateway_fuzz::redact(archive));
