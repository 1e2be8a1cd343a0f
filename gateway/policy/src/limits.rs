use serde::Deserialize;
use wasmtime::ResourceLimiter;

use crate::contract::logging;
use crate::wasi::Moment;

/// What one policy may take up in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// How long a call may take, the wait for its turn included, in milliseconds.
    pub deadline_milliseconds: u64,
    /// How long loading may take beyond compilation: instantiation and `configure`, in milliseconds.
    pub configure_milliseconds: u64,
    /// Linear memory, in bytes.
    pub memory_bytes: usize,
    /// What the policy may hand back in one call, in bytes.
    pub answer_bytes: usize,
    /// What the policy may log in one call, in bytes.
    pub log_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline_milliseconds: 50,
            configure_milliseconds: 5000,
            memory_bytes: 64 << 20,
            answer_bytes: 1 << 20,
            log_bytes: 16 << 10,
        }
    }
}

/// A guest's side of the store: what it has taken, and what it may.
#[derive(Debug)]
pub(crate) struct Guest {
    limits: Limits,
    pub(crate) moment: Moment,
    memory: usize,
    logged: usize,
    pub(crate) log: Vec<(logging::Level, String)>,
}

/// A limit that a guest ran into. It ends the call.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("memory")]
    Memory,
    #[error("table")]
    Table,
}

impl Guest {
    pub(crate) fn new(limits: Limits, moment: Moment) -> Self {
        Self {
            limits,
            moment,
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

    /// The most memory that it has had, in bytes: linear memory never shrinks.
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
        self.logged = self.logged.saturating_add(message.len()).saturating_add(16);
        if self.logged <= self.limits.log_bytes {
            self.log
                .push((level, gateway_core::one_line(&message, 1024)));
        }
    }
}

impl crate::contract::types::Host for Guest {}
