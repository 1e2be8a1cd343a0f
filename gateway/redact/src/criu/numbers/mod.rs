//! Numbers in CRIU's images in which a process can keep anything: registers, counters, payloads of events and signals.
//!
//! Images are protobuf, and a number's bytes are spread over a varint there: a search for bytes does not see them. Here every
//! number of an entry is found without a schema, laid out as the processor had it, and written back in its old length.

mod number;
mod role;
mod view;
mod walk;

pub(crate) use number::Number;
pub(crate) use role::Role;
pub(crate) use view::{View, views};
pub(crate) use walk::{Numbers, TextField};
