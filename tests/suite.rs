//! The suite: the binary itself, over TLS on a real socket, beside the embedded runtime; and, where one is brought up
//! (`tests/real-cri/run`), beside a real containerd. One binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::large_futures,
    clippy::print_stderr,
    reason = "a test fails by panicking, and a skip says why"
)]
#![expect(unreachable_pub, reason = "a test binary has no API")]

mod support;

mod access;
mod archive_commands;
mod audit_commands;
mod audit_export;
mod audit_inspection;
mod audit_keys;
mod audit_records;
mod audit_replay;
mod authentication;
mod canary;
mod clock;
mod command_line;
mod compatibility;
mod configuration;
mod connections;
mod crash;
mod facts;
mod faults;
mod findings;
mod hostile_policies;
mod kubelet_endpoint;
mod openapi;
mod otlp_logs;
mod panics;
mod policies;
mod real_cri;
mod redaction;
mod retention;
mod secrets;
mod shutdown;
mod spool;
mod storage;
mod telemetry;
mod waiting;
