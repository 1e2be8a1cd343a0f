//! The tables `[listen]`, `[runtime]`, `[checkpoints]`, `[audit]` and `[limits]`.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use gateway_archive::TransportChoice;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::numbers::{at_least, at_least_one};

/// `[listen]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Listen {
    /// The main listener: TLS only.
    pub address: SocketAddr,
    /// The listener of health and metrics, without TLS: keep it on the loopback.
    pub admin_address: SocketAddr,
}

/// `[runtime]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Runtime {
    /// The container runtime's unix socket; without it the well-known ones are tried.
    pub socket: Option<PathBuf>,
    /// The most checkpoints that run at once on this node.
    pub running: NonZeroUsize,
    /// The most checkpoints that wait on this node.
    pub waiting: usize,
    /// The most checkpoints that wait for one container.
    pub waiting_per_container: usize,
}

/// `[checkpoints]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Checkpoints {
    /// Whether `POST /checkpoint/...` is served.
    pub enabled: bool,
    /// The folder for archives. The runtime writes there too, so both must see it under this path.
    pub directory: PathBuf,
    /// The way in which the runtime hands over an archive.
    pub transport: TransportChoice,
    /// Bytes that must stay free on the folder's disk.
    pub min_free_bytes: u64,
    /// The largest archive, in bytes; 0 means no limit but the disk.
    pub max_bytes: u64,
    /// The wait of a caller who gives no timeout, in seconds. The checkpoint goes on after it.
    pub default_wait_seconds: NonZeroU32,
    /// The longest wait of a caller, in seconds.
    pub max_wait_seconds: NonZeroU32,
}

/// `[audit]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Audit {
    /// The log: one JSON object per line.
    pub file: PathBuf,
    /// Audit records of unauthenticated requests per second, in the long run and for all callers together.
    pub unproven_per_second: NonZeroU32,
    /// The most of them in a burst.
    pub unproven_burst: NonZeroU32,
    /// PEM: the Ed25519 key that signs it; empty for none. Nobody but its owner may read it.
    pub key_file: PathBuf,
    /// PEM: the previous key, which vouches for the one above; empty for none.
    pub previous_key_file: PathBuf,
    /// The number of records after which a head is signed.
    pub head_records: NonZeroU32,
    /// The time after which a head is signed if there are new records, in seconds.
    pub head_seconds: NonZeroU32,
    /// The length at which a file is closed and compressed and a new one begins, in bytes.
    #[serde(deserialize_with = "segment_bytes")]
    pub segment_bytes: u64,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// The most connections. More wait in the kernel's queue.
    pub connections: NonZeroUsize,
    /// The most requests at once. More get 503.
    pub requests: NonZeroUsize,
    /// The longest TLS handshake, in seconds.
    pub handshake_seconds: NonZeroU32,
    /// The longest time for a request's headers, and for its body, in seconds.
    pub header_seconds: NonZeroU32,
    /// The largest headers of a request, in bytes; at least 8192.
    pub header_bytes: u32,
    /// The largest body of a request, in bytes. No call needs one.
    pub body_bytes: u32,
    /// The longest time that a connection stays open without a request, in seconds.
    pub idle_seconds: NonZeroU32,
    /// The longest time that running checkpoints may take after a stop signal, in seconds.
    pub drain_seconds: NonZeroU32,
}

/// The shortest segment, in bytes: each is a file.
const SHORTEST_SEGMENT: u64 = 64 << 10;

fn segment_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let bytes = u64::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format_args!("must be at least {SHORTEST_SEGMENT}"));
    if bytes < SHORTEST_SEGMENT {
        Err(wrong())
    } else {
        Ok(bytes)
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: ([0, 0, 0, 0], 10_260).into(),
            admin_address: ([127, 0, 0, 1], 10_261).into(),
        }
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self {
            socket: None,
            running: at_least_one(2),
            waiting: 16,
            waiting_per_container: 4,
        }
    }
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self {
            enabled: true,
            directory: PathBuf::from("/var/lib/kubelet/checkpoints"),
            transport: TransportChoice::Auto,
            min_free_bytes: 1 << 30,
            max_bytes: 0,
            default_wait_seconds: at_least(600),
            max_wait_seconds: at_least(3600),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            file: PathBuf::from("/var/lib/checkpoint-gateway/audit.log"),
            unproven_per_second: at_least(10),
            unproven_burst: at_least(100),
            key_file: PathBuf::new(),
            previous_key_file: PathBuf::new(),
            head_records: at_least(256),
            head_seconds: at_least(60),
            segment_bytes: 64 << 20,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: at_least_one(256),
            requests: at_least_one(256),
            handshake_seconds: at_least(10),
            header_seconds: at_least(10),
            header_bytes: 32 << 10,
            body_bytes: 4 << 10,
            idle_seconds: at_least(120),
            drain_seconds: at_least(300),
        }
    }
}
