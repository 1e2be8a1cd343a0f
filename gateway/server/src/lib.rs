//! The gateway's server: HTTP over TLS, authentication, the pipeline from request to archive, and its logs, traces and
//! metrics.

#![forbid(unsafe_code)]

mod access;
mod admin;
mod audit_keys;
mod audit_records;
mod audit_writer;
pub mod authn;
mod bodies;
mod check;
mod checkpoint_ids;
mod checkpoint_task;
pub mod config;
mod connection;
mod error;
mod error_chain;
mod handler;
mod health;
mod hidden_fields;
mod masked_request;
pub mod openapi;
mod operation;
mod peer;
mod pipeline;
pub mod policies;
mod query;
mod record_size;
mod reload;
mod removals;
mod reply;
mod request_body;
mod request_context;
mod request_headers;
mod request_ids;
mod request_slots;
mod retention;
mod route;
mod serve;
mod services;
pub mod signals;
mod span;
mod start_error;
mod step_spans;
pub mod telemetry;
pub mod tls;
mod token_bucket;
mod verdicts;
mod visible_request;

pub use check::check;
pub use config::Config;
pub use error::{Answer, Error, Listed};
pub use operation::Operation;
pub use query::Query;
pub use reload::Reload;
pub use route::Route;
pub use serve::{Ended, Gateway};
pub use start_error::StartError;
