//! The attacks that both kinds of guests share.

use std::hint::black_box;

/// Loops without an end.
pub fn spin() -> ! {
    let mut rounds = 0_u64;
    loop {
        rounds = black_box(rounds.wrapping_add(1));
    }
}

/// Allocates and touches memory without an end.
pub fn hoard() -> ! {
    loop {
        let mut more = vec![1_u8; 1 << 20];
        black_box(&mut more);
        std::mem::forget(more);
    }
}

#[expect(unconditional_recursion, reason = "this overflows the stack")]
/// Recurses without an end.
pub fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 8]);
    recurse(depth + 1) + black_box(frame)[3]
}

/// Takes long in single instructions, between which no deadline is checked.
pub fn fill(rounds: u8) {
    let mut bytes = vec![0_u8; 56 << 20];
    for round in 1..=rounds {
        black_box(&mut bytes).fill(round);
    }
}

/// Panics with a long message.
pub fn panic() -> ! {
    panic!("{}", "x".repeat(8 << 20))
}
