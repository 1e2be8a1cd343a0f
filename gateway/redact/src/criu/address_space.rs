//! `mm-PID.img`: where a process's arguments and environment lie in its memory.

use super::protobuf::{Value, fields};

/// The largest entry, in bytes: one with all the mappings that the kernel allows is a quarter of it.
pub(crate) const MAX_ADDRESS_SPACE: usize = 16 << 20;

/// The bounds in an `mm_entry`, as far as it has them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressSpace {
    pub(crate) arguments_start: Option<u64>,
    pub(crate) arguments_end: Option<u64>,
    pub(crate) environment_start: Option<u64>,
    pub(crate) environment_end: Option<u64>,
    /// CRIU's number of the program's file.
    pub(crate) program: Option<u64>,
}

impl AddressSpace {
    /// Fields 8 and 9 bound the arguments, 10 and 11 the environment; 12 is `exe_file_id`. `None` for bytes that are not a message.
    pub(crate) fn read(entry: &[u8]) -> Option<Self> {
        let mut space = Self::default();
        for field in fields(entry) {
            let (number, Value::Number(address)) = field? else {
                continue;
            };
            match number {
                8 => space.arguments_start = Some(address),
                9 => space.arguments_end = Some(address),
                10 => space.environment_start = Some(address),
                11 => space.environment_end = Some(address),
                12 => space.program = Some(address),
                _ => {}
            }
        }
        Some(space)
    }
}
