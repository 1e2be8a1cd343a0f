use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// How often deadlines are looked at. A deadline is met within two of these.
const TICK: Duration = Duration::from_millis(2);
/// How many ticks the clock goes on when nobody runs: to wake it costs more than many a policy.
const LINGER: u32 = 500;
/// The deepest stack of a guest, in bytes.
const STACK: usize = 512 << 10;
/// How much of a used memory is cleared by writing instead of by unmapping, in bytes: what a small policy touches.
const KEPT: usize = 64 << 10;
/// How many elements a table may have.
const TABLE_ELEMENTS: usize = 20_000;

/// wasmtime, its clock, and the places in which policies run. Dropping the last clone stops the clock.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    wasm: wasmtime::Engine,
    slots: Slots,
    memory_max: usize,
    clock: Arc<Clock>,
    ticker: Option<JoinHandle<()>>,
}

impl Engine {
    /// An engine in which `slots` policies run at once, each with up to `memory_max` bytes: the product bounds what all
    /// policies together can take.
    ///
    /// # Errors
    /// Where the system does not give the address space.
    pub fn new(slots: usize, memory_max: usize) -> Result<Self, wasmtime::Error> {
        let slots = slots.clamp(1, 256);
        let wasm = wasmtime::Engine::new(&config(u32::try_from(slots).unwrap_or(1), memory_max))?;
        let clock = Arc::<Clock>::default();
        let (ticking, engine) = (Arc::clone(&clock), wasm.clone());
        let ticker = std::thread::Builder::new()
            .name("policy-ticker".to_owned())
            .spawn(move || ticking.run(&engine))?;
        Ok(Self(Arc::new(Inner {
            wasm,
            slots: Slots::new(slots),
            memory_max,
            clock,
            ticker: Some(ticker),
        })))
    }

    /// The most memory that any policy can have, in bytes.
    pub fn memory_max(&self) -> usize {
        self.0.memory_max
    }

    pub(crate) fn wasm(&self) -> &wasmtime::Engine {
        &self.0.wasm
    }

    /// A place to run in, and a running clock; `None` where none came free before `until`.
    pub(crate) fn enter(&self, until: Instant) -> Option<Place<'_>> {
        self.0.slots.take(until)?;
        self.0.clock.start();
        Some(Place(&self.0))
    }

    /// In how many ticks, at least one, a deadline that is `left` away is to be looked at.
    pub(crate) fn ticks(left: Duration) -> u64 {
        u64::try_from(left.as_micros().div_ceil(TICK.as_micros()))
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

impl Drop for Inner {
    fn drop(&mut self) {
        self.clock.end();
        // The ticker only waits and counts; it ends at once.
        let _ = self.ticker.take().map(JoinHandle::join);
    }
}

/// A place in which one policy runs.
pub(crate) struct Place<'a>(&'a Inner);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.clock.stop();
        self.0.slots.give();
    }
}

fn config(slots: u32, memory_max: usize) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    // Rust, JavaScript and Python components have up to a handful of core instances with one memory between them.
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(32))
        .total_memories(slots.saturating_mul(2))
        .total_tables(slots.saturating_mul(16))
        .max_core_instances_per_component(32)
        .max_memories_per_component(2)
        .max_tables_per_component(16)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(memory_max)
        .linear_memory_keep_resident(KEPT)
        .table_keep_resident(KEPT)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(slots);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_backtrace_max_frames(None);
    config
}

/// Counts ticks while somebody runs, and a little longer: an idle gateway sleeps.
#[derive(Default)]
struct Clock {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    asleep: bool,
    ended: bool,
}

impl Clock {
    fn run(&self, engine: &wasmtime::Engine) {
        let mut state = lock(&self.state);
        let (mut idle, mut due) = (0, Instant::now() + TICK);
        while !state.ended {
            if idle < LINGER {
                let left = due.saturating_duration_since(Instant::now());
                let tick = self
                    .changed
                    .wait_timeout_while(state, left, |state| !state.ended);
                state = tick.unwrap_or_else(PoisonError::into_inner).0;
                // On a busy machine this thread comes late: the ticks that it missed are counted too.
                while due <= Instant::now() {
                    engine.increment_epoch();
                    due += TICK;
                }
                idle = if state.running == 0 {
                    idle.saturating_add(1)
                } else {
                    0
                };
            } else {
                state.asleep = true;
                let woken = self
                    .changed
                    .wait_while(state, |state| state.running == 0 && !state.ended);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                state.asleep = false;
                (idle, due) = (0, Instant::now() + TICK);
            }
        }
    }

    fn start(&self) {
        let mut state = lock(&self.state);
        state.running = state.running.saturating_add(1);
        if state.asleep {
            self.changed.notify_one();
        }
    }

    fn stop(&self) {
        let mut state = lock(&self.state);
        state.running = state.running.saturating_sub(1);
    }

    fn end(&self) {
        lock(&self.state).ended = true;
        self.changed.notify_one();
    }
}

/// The places in which nobody runs.
struct Slots {
    places: Mutex<Places>,
    given: Condvar,
}

struct Places {
    free: usize,
    waiting: usize,
}

impl Slots {
    fn new(free: usize) -> Self {
        Self {
            places: Mutex::new(Places { free, waiting: 0 }),
            given: Condvar::new(),
        }
    }

    fn take(&self, until: Instant) -> Option<()> {
        let mut places = lock(&self.places);
        if places.free == 0 {
            places.waiting = places.waiting.saturating_add(1);
            let left = until.saturating_duration_since(Instant::now());
            let given = self
                .given
                .wait_timeout_while(places, left, |places| places.free == 0);
            places = given.unwrap_or_else(PoisonError::into_inner).0;
            places.waiting = places.waiting.saturating_sub(1);
        }
        places.free = places.free.checked_sub(1)?;
        Some(())
    }

    fn give(&self) {
        let mut places = lock(&self.places);
        places.free = places.free.saturating_add(1);
        if places.waiting > 0 {
            self.given.notify_one(); // a system call, even where nobody waits
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
