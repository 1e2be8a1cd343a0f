//! wasmtime with its ticker and a bounded number of slots in which policies run.

mod slots;
mod ticker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use slots::Slots;
use ticker::Ticker;

/// The largest stack of a guest, in bytes.
const STACK_MAX: usize = 512 << 10;
/// The part of a used memory that is cleared by writing instead of by unmapping, in bytes: small policies touch no more.
const KEPT_RESIDENT: usize = 64 << 10;
/// The most elements of a table.
const TABLE_ELEMENTS_MAX: usize = 20_000;

/// wasmtime, its ticker, and the slots in which policies run. Dropping the last clone stops the ticker.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    wasm: wasmtime::Engine,
    slots: Slots,
    memory_max: usize,
    ticker: Ticker,
}

impl Engine {
    /// An engine in which up to `slots` policies run at once (1 to 256), each with up to `memory_max` bytes. The product bounds
    /// the memory of all policies together.
    ///
    /// # Errors
    /// If the system does not grant the address space or the ticker's thread.
    pub fn new(slots: usize, memory_max: usize) -> Result<Self, wasmtime::Error> {
        let slots = slots.clamp(1, 256);
        let wasm = wasmtime::Engine::new(&config(u32::try_from(slots).unwrap_or(1), memory_max))?;
        let ticker = Ticker::start(wasm.clone())?;
        Ok(Self(Arc::new(Inner {
            wasm,
            slots: Slots::new(slots),
            memory_max,
            ticker,
        })))
    }

    /// The most memory of one policy, in bytes.
    pub fn memory_max(&self) -> usize {
        self.0.memory_max
    }

    pub(crate) fn wasm(&self) -> &wasmtime::Engine {
        &self.0.wasm
    }

    /// Waits for a slot and keeps the ticker running while the slot is held; `None` if no slot was free before `until`.
    pub(crate) fn enter(&self, until: Instant) -> Option<Slot<'_>> {
        self.0.slots.acquire(until)?;
        self.0.ticker.resume();
        Some(Slot(&self.0))
    }

    /// The number of ticks, at least one, until a deadline that is `left` away must be checked.
    pub(crate) fn ticks(left: Duration) -> u64 {
        u64::try_from(left.as_micros().div_ceil(ticker::TICK.as_micros()))
            .unwrap_or(u64::MAX >> 1)
            .max(1)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("memory_max", &self.0.memory_max)
            .finish_non_exhaustive()
    }
}

/// The right to run one policy.
pub(crate) struct Slot<'a>(&'a Inner);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.ticker.pause();
        self.0.slots.release();
    }
}

fn config(slots: u32, memory_max: usize) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    // Rust, JavaScript and Python components have a handful of core instances that share one memory.
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(32))
        .total_memories(slots.saturating_mul(2))
        .total_tables(slots.saturating_mul(16))
        .max_core_instances_per_component(32)
        .max_memories_per_component(2)
        .max_tables_per_component(16)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(memory_max)
        .linear_memory_keep_resident(KEPT_RESIDENT)
        .table_keep_resident(KEPT_RESIDENT)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(slots);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .max_wasm_stack(STACK_MAX)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_backtrace_max_frames(None);
    config
}
