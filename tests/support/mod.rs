//! Shared parts of tests: credentials, the gateway's process, a client, an OTLP receiver.

pub mod answer;
pub mod client;
pub mod described;
pub mod gateway;
pub mod programs;
pub mod receiver;
pub mod small_disk;
pub mod steps;
pub mod world;

pub use answer::Answer;
pub use client::Client;
pub use gateway::Gateway;
pub use receiver::Receiver;
pub use world::{Credentials, World};

use std::time::Duration;

/// Fails a test that would hang. Nothing that is right takes this long.
pub async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(90), future)
        .await
        .expect("it hangs")
}
