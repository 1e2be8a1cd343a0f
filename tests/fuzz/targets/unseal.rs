//! Unseals any bytes: the result must be an error, never a panic, and the output must not be longer than the input.
#![no_main]

use std::sync::LazyLock;

use gateway_archive::{Identities, unseal};

/// A key that is not used anywhere: 32 bytes of 7.
static IDENTITIES: LazyLock<Identities> = LazyLock::new(|| {
    Identities::parse("AGE-SECRET-KEY-1QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSKMP32K")
        .expect("an identity")
});

libfuzzer_sys::fuzz_target!(|sealed: &[u8]| {
    let mut plain = Vec::new();
    let _ = unseal(sealed, &IDENTITIES, &mut plain);
    assert!(plain.len() <= sealed.len());
});
