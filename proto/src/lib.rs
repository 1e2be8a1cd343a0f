//! The part of the Container Runtime Interface (CRI) v1 that the gateway uses, wire-compatible with every runtime that serves
//! `runtime.v1.RuntimeService`.
//!
//! It contains the client for containerd and CRI-O, and the server for the embedded runtime.

/// Package `runtime.v1`: messages, client and server of the runtime service.
pub mod v1 {
    tonic::include_proto!("runtime.v1");
}
