//! The ticker that interrupts guests: it increments the engine's epoch while policies run.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// The time between two ticks. A guest is interrupted at most two ticks after its deadline.
pub(super) const TICK: Duration = Duration::from_millis(2);
/// Ticks without a running policy before the ticker sleeps. To wake it costs more than many policies.
const IDLE_TICKS: u32 = 500;

/// A thread that ticks while policies run, and sleeps in an idle gateway. Dropping it ends the thread.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    asleep: bool,
    ended: bool,
}

impl Ticker {
    pub(super) fn start(engine: wasmtime::Engine) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let ticking = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("policy-ticker".to_owned())
            .spawn(move || ticking.run(&engine))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Counts one more running policy, and wakes the ticker if it sleeps.
    pub(super) fn resume(&self) {
        let mut state = self.shared.state.lock();
        state.running = state.running.saturating_add(1);
        if state.asleep {
            self.shared.changed.notify_one();
        }
    }

    /// Counts one running policy less.
    pub(super) fn pause(&self) {
        let mut state = self.shared.state.lock();
        state.running = state.running.saturating_sub(1);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state.lock().ended = true;
        self.shared.changed.notify_one();
        // The thread only waits and counts, so it ends at once.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn run(&self, engine: &wasmtime::Engine) {
        let mut state = self.state.lock();
        let (mut idle, mut due) = (0, Instant::now() + TICK);
        while !state.ended {
            if idle < IDLE_TICKS {
                self.changed
                    .wait_while_until(&mut state, |state| !state.ended, due);
                // On a busy machine this thread wakes late: the ticks that it missed are counted too.
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
                self.changed
                    .wait_while(&mut state, |state| state.running == 0 && !state.ended);
                state.asleep = false;
                (idle, due) = (0, Instant::now() + TICK);
            }
        }
    }
}
