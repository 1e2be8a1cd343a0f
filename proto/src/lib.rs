//! The part of the Container Runtime Interface (CRI) v1 that the gateway speaks, wire-compatible with every runtime
//! that serves `runtime.v1.RuntimeService` on its unix socket.
//!
//! Both ends come from the same description: the client that asks containerd or CRI-O, and the server that the
//! embedded runtime answers with.

/// Package `runtime.v1`: messages, client and server of the runtime service.
pub mod v1 {
    tonic::include_proto!("runtime.v1");
}
