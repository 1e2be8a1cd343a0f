//! The append-only audit log: one JSON object a line. An intent is durable before the runtime is touched, an outcome
//! follows whatever happened; where a record cannot be written, the request is refused.

#![forbid(unsafe_code)]

mod log;

pub use log::{Error, Intent, Log};
