//! Where the gateway listens, what it does at once, and where it puts what it makes.

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
    /// Health and metrics, in clear: keep it where only the node reaches it.
    pub admin_address: SocketAddr,
}

/// `[runtime]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Runtime {
    /// The container runtime's unix socket; without it the well-known ones are tried.
    pub socket: Option<PathBuf>,
    /// Checkpoints that run at once on this node.
    pub running: NonZeroUsize,
    /// Checkpoints that wait on this node.
    pub waiting: usize,
    /// Checkpoints that wait for one container.
    pub waiting_per_container: usize,
}

/// `[checkpoints]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Checkpoints {
    /// Whether `POST /checkpoint/...` is served.
    pub enabled: bool,
    /// Where archives go. The runtime writes there too, so both must see the folder under this path.
    pub directory: PathBuf,
    /// How the runtime hands an archive over.
    pub transport: TransportChoice,
    /// What must stay free on the folder's disk, in bytes.
    pub min_free_bytes: u64,
    /// The largest archive, in bytes; 0 means no bound but the disk.
    pub max_bytes: u64,
    /// How long a caller waits who does not say, in seconds. The checkpoint goes on after that.
    pub default_wait_seconds: NonZeroU32,
    /// The longest that a caller may wait, in seconds.
    pub max_wait_seconds: NonZeroU32,
}

/// `[audit]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Audit {
    /// The log: one JSON object a line.
    pub file: PathBuf,
    /// How many requests a second of callers who have proven nothing are written down, in the long run and all together.
    pub unproven_per_second: NonZeroU32,
    /// How many of them at once.
    pub unproven_burst: NonZeroU32,
    /// PEM: the Ed25519 key that signs it; empty for none. Nobody but its owner may read it.
    pub key_file: PathBuf,
    /// PEM: the key that signed it until now, which vouches for the one above; empty for none.
    pub previous_key_file: PathBuf,
    /// After so many records a head is signed.
    pub head_records: NonZeroU32,
    /// After so long a head is signed, if there are new records, in seconds.
    pub head_seconds: NonZeroU32,
    /// At this length a file is closed and compressed, and another one begun, in bytes.
    #[serde(deserialize_with = "segment_bytes")]
    pub segment_bytes: u64,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Connections at once; more wait in the kernel's queue.
    pub connections: NonZeroUsize,
    /// Requests at once; more are answered 503.
    pub requests: NonZeroUsize,
    /// How long a TLS handshake may take, in seconds.
    pub handshake_seconds: NonZeroU32,
    /// How long a request's headers, and its body, may take, in seconds.
    pub header_seconds: NonZeroU32,
    /// The largest headers of a request, in bytes; at least 8192.
    pub header_bytes: u32,
    /// The largest body of a request, in bytes. No call needs one.
    pub body_bytes: u32,
    /// How long a connection without a request stays open, in seconds.
    pub idle_seconds: NonZeroU32,
    /// How long running checkpoints may take to finish once the gateway is told to stop, in seconds.
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
