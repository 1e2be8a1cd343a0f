//! The host's state of one guest: its limits, its usage and its log.

use gateway_core::one_line;
use wasmtime::ResourceLimiter;

use crate::context::CallContext;
use crate::contract::{logging, types};
use crate::limits::Limits;

/// The longest log message that is kept, in bytes.
const MESSAGE_MAX: usize = 1024;
/// The bytes that each log message counts in addition to its length, so that empty messages are not free.
const MESSAGE_OVERHEAD: usize = 16;

/// The data of a guest's store.
#[derive(Debug)]
pub(crate) struct Guest {
    limits: Limits,
    pub(crate) context: CallContext,
    memory: usize,
    logged: usize,
    log: Vec<(logging::Level, String)>,
}

/// A limit that a guest exceeded. It ends the call.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("memory")]
    Memory,
    #[error("table")]
    Table,
}

impl Guest {
    pub(crate) fn new(limits: Limits, context: CallContext) -> Self {
        Self {
            limits,
            context,
            memory: 0,
            logged: 0,
            log: Vec::new(),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn logged_too_much(&self) -> bool {
        self.logged > self.limits.log_bytes
    }

    /// The largest size of its linear memories, in bytes. They never shrink.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let memory = self.memory.saturating_sub(current).saturating_add(desired);
        if memory > self.limits.memory_bytes {
            return Err(Exceeded::Memory.into());
        }
        self.memory = memory;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Exceeded::Memory.into())
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true) // the pool bounds tables
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Exceeded::Table.into())
    }
}

impl logging::Host for Guest {
    fn log(&mut self, level: logging::Level, message: String) {
        let bytes = message.len().saturating_add(MESSAGE_OVERHEAD);
        self.logged = self.logged.saturating_add(bytes);
        if self.logged <= self.limits.log_bytes {
            self.log.push((level, one_line(&message, MESSAGE_MAX)));
        }
    }
}

impl types::Host for Guest {}
