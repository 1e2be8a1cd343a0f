//! One call of a guest: a store of its own, a deadline, limits, and a name for whatever goes wrong.

use std::time::{Duration, Instant};

use wasmtime::{Store, Trap, UpdateDeadline};

use crate::limits::{Exceeded, Guest};
use crate::wasi::{Moment, Withheld};
use crate::{Engine, Fault, Limits};

/// What a call took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How long it took, the wait for its turn included.
    pub time: Duration,
    /// The most memory that it had, in bytes.
    pub memory: usize,
}

/// Runs `call` in a fresh store within the policy's limits, and `read`s its answer within the same time.
pub(crate) fn call<T, U>(
    engine: &Engine,
    limits: Limits,
    moment: Moment,
    call: impl FnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
    read: impl FnOnce(T, &Deadline) -> Result<U, Fault>,
) -> (Result<U, Fault>, Usage) {
    let begun = Instant::now();
    let deadline = Deadline::after(limits.deadline_milliseconds);
    let Some(_place) = engine.enter(deadline.until) else {
        return (
            Err(deadline.fault()),
            Usage {
                time: begun.elapsed(),
                memory: 0,
            },
        );
    };
    let mut store = store(engine, limits, moment, &deadline);
    let result = call(&mut store);
    let answer = judged(result, &store, &deadline).and_then(|answer| read(answer, &deadline));
    let answer = answer.and_then(|answer| deadline.check().map(|()| answer));
    (
        answer,
        Usage {
            time: begun.elapsed(),
            memory: store.data().memory(),
        },
    )
}

/// When a call must have ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) until: Instant,
    milliseconds: u64,
}

impl Deadline {
    pub(crate) fn after(milliseconds: u64) -> Self {
        Self {
            until: Instant::now() + Duration::from_millis(milliseconds),
            milliseconds,
        }
    }

    /// Fails once the time is over. What the host does for a guest counts as the guest's.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if Instant::now() > self.until {
            Err(self.fault())
        } else {
            Ok(())
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        Fault::Deadline {
            milliseconds: self.milliseconds,
        }
    }
}

/// A store that ends its guest at the `deadline`.
pub(crate) fn store(
    engine: &Engine,
    limits: Limits,
    moment: Moment,
    deadline: &Deadline,
) -> Store<Guest> {
    let mut store = Store::new(engine.wasm(), Guest::new(limits, moment));
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(limits.answer_bytes);
    let until = deadline.until;
    store.set_epoch_deadline(Engine::ticks(
        until.saturating_duration_since(Instant::now()),
    ));
    // A ticker that was late counts what it missed all at once, so ticks may end early: the time itself has the last word.
    store.epoch_deadline_callback(move |_| {
        Ok(match until.checked_duration_since(Instant::now()) {
            Some(left) => UpdateDeadline::Continue(Engine::ticks(left)),
            None => UpdateDeadline::Interrupt,
        })
    });
    store
}

/// An answer that came in time and within the limits, or the fault that it was.
pub(crate) fn judged<T>(
    result: wasmtime::Result<T>,
    store: &Store<Guest>,
    deadline: &Deadline,
) -> Result<T, Fault> {
    let limits = store.data().limits();
    match result {
        Err(error) => Err(named(&error, limits, deadline)),
        Ok(_) if store.data().logged_too_much() => Err(Fault::Log {
            bytes: limits.log_bytes,
        }),
        Ok(answer) => deadline.check().map(|()| answer),
    }
}

fn named(error: &wasmtime::Error, limits: Limits, deadline: &Deadline) -> Fault {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return Fault::Memory(match exceeded {
            Exceeded::Memory => format!("{} bytes of memory", limits.memory_bytes),
            Exceeded::Table => "a table may have elements".to_owned(),
        });
    }
    if let Some(withheld) = error.downcast_ref::<Withheld>() {
        return Fault::Trap(crate::fault::told(withheld));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => deadline.fault(),
        Some(Trap::StackOverflow) => Fault::Stack,
        Some(trap) => Fault::Trap(trap.to_string()),
        // What is no trap went wrong while the answer was read: text that is none, a pointer to nowhere, too much of it.
        None => Fault::Answer(crate::fault::told(error.root_cause())),
    }
}
