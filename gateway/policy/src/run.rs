//! Runs one call of a guest with a store of its own, a deadline and limits, and names its failure.

use std::time::{Duration, Instant};

use wasmtime::{Store, Trap, UpdateDeadline};

use crate::context::CallContext;
use crate::engine::Engine;
use crate::fault::{Fault, bounded};
use crate::guest::{Exceeded, Guest};
use crate::limits::Limits;
use crate::wasi::Unavailable;

/// The resources that a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The time that it took, including the wait for a slot.
    pub time: Duration,
    /// The most memory that it had, in bytes.
    pub memory: usize,
}

/// The time at which a call must have ended.
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

    /// Fails if the deadline has passed. The host's work for a guest counts as the guest's.
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

/// Runs `call` in a fresh store within the policy's limits, and converts its answer with `read` before the same deadline.
pub(crate) fn call<T, U>(
    engine: &Engine,
    limits: Limits,
    context: CallContext,
    call: impl FnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
    read: impl FnOnce(T, &Deadline) -> Result<U, Fault>,
) -> (Result<U, Fault>, Usage) {
    let started = Instant::now();
    let deadline = Deadline::after(limits.deadline_milliseconds);
    let usage = |memory| Usage {
        time: started.elapsed(),
        memory,
    };
    let Some(_slot) = engine.enter(deadline.until) else {
        return (Err(deadline.fault()), usage(0));
    };
    let mut store = store(engine, limits, context, &deadline);
    let result = call(&mut store);
    let answer = checked(result, &store, &deadline).and_then(|answer| read(answer, &deadline));
    let answer = answer.and_then(|answer| deadline.check().map(|()| answer));
    (answer, usage(store.data().memory()))
}

/// A store that interrupts its guest at the `deadline`.
pub(crate) fn store(
    engine: &Engine,
    limits: Limits,
    context: CallContext,
    deadline: &Deadline,
) -> Store<Guest> {
    let mut store = Store::new(engine.wasm(), Guest::new(limits, context));
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(limits.answer_bytes);
    let until = deadline.until;
    store.set_epoch_deadline(Engine::ticks(
        until.saturating_duration_since(Instant::now()),
    ));
    // A late ticker counts all missed ticks at once, so the ticks may run out early: check the time itself.
    store.epoch_deadline_callback(move |_| {
        Ok(match until.checked_duration_since(Instant::now()) {
            Some(left) => UpdateDeadline::Continue(Engine::ticks(left)),
            None => UpdateDeadline::Interrupt,
        })
    });
    store
}

/// The answer of a call that met its deadline and its limits, or the fault.
pub(crate) fn checked<T>(
    result: wasmtime::Result<T>,
    store: &Store<Guest>,
    deadline: &Deadline,
) -> Result<T, Fault> {
    let limits = store.data().limits();
    match result {
        Err(error) => Err(fault(&error, limits, deadline)),
        Ok(_) if store.data().logged_too_much() => Err(Fault::Log {
            bytes: limits.log_bytes,
        }),
        Ok(answer) => deadline.check().map(|()| answer),
    }
}

fn fault(error: &wasmtime::Error, limits: Limits, deadline: &Deadline) -> Fault {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return Fault::Memory(match exceeded {
            Exceeded::Memory => format!("{} bytes of memory", limits.memory_bytes),
            Exceeded::Table => "table elements".to_owned(),
        });
    }
    if let Some(unavailable) = error.downcast_ref::<Unavailable>() {
        return Fault::Trap(bounded(unavailable));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => deadline.fault(),
        Some(Trap::StackOverflow) => Fault::Stack,
        Some(trap) => Fault::Trap(trap.to_string()),
        // Every other error occurs while the answer is read: invalid text, an invalid pointer, too many bytes.
        None => Fault::Answer(bounded(error.root_cause())),
    }
}
