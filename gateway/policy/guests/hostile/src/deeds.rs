//! What a guest of either kind can do to its host.

use std::hint::black_box;

pub fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Takes memory and touches all of it, until there is no more.
pub fn hoard() -> ! {
    loop {
        let mut more = vec![1_u8; 1 << 20];
        black_box(&mut more);
        std::mem::forget(more);
    }
}

#[expect(unconditional_recursion, reason = "that is the point")]
pub fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 8]);
    recurse(depth + 1) + black_box(frame)[3]
}

/// Takes its time where no clock is looked at: in single instructions.
pub fn fill(rounds: u8) {
    let mut bytes = vec![0_u8; 56 << 20];
    for round in 1..=rounds {
        black_box(&mut bytes).fill(round);
    }
}

pub fn panic() -> ! {
    panic!("{}", "x".repeat(8 << 20))
}
