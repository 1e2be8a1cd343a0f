//! Any bytes as a sealed archive: an error, never a panic, and never more out than in.
#![no_main]

use std::sync::LazyLock;

use gateway_archive::{Identities, unseal};

/// 32 bytes of 7: nobody's.
static IDENTITIES: LazyLock<Identities> = LazyLock::new(|| {
    Identities::parse("AGE-SECRET-KEY-1QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSKMP32K")
        .expect("an identity")
});

libfuzzer_sys::fuzz_target!(|sealed: &[u8]| {
    let mut plain = Vec::new();
    let _ = unseal(sealed, &IDENTITIES, &mut plain);
    assert!(plain.len() <= sealed.len());
});
