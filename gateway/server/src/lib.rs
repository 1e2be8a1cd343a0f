//! The gateway's front: HTTP over TLS, who is asking, the line from request to archive, and what is told of it all in
//! logs, traces and metrics.

#![forbid(unsafe_code)]

mod access;
mod admin;
mod arrival;
mod asked;
pub mod authn;
mod bucket;
pub mod config;
mod connection;
mod error;
mod gate;
mod hidden;
mod ids;
mod line;
pub mod openapi;
pub mod policies;
mod query;
mod record;
mod reload;
mod reply;
mod retention;
mod route;
mod seal;
mod serve;
mod shadow;
pub mod signals;
mod span;
pub mod telemetry;
pub mod tls;
mod work;

pub use config::Config;
pub use error::{Answer, Error, Listed};
pub use query::Query;
pub use reload::Reload;
pub use route::{Operation, Route};
pub use serve::{Ended, Gateway, StartError};
