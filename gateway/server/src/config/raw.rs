use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use gateway_archive::TransportChoice;
use gateway_policy::AllowRule;
use jsonwebtoken::Algorithm;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `[listen]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Listen {
    /// The main listener: TLS only.
    pub address: SocketAddr,
    /// Health and metrics, in clear: keep it where only the node reaches it.
    pub admin_address: SocketAddr,
}

/// `[tls]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// PEM: the gateway's certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// PEM: the key to it.
    pub key: PathBuf,
    /// PEM: the certificates of those that may issue client certificates. Without it none is asked for.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// The oldest protocol that is spoken.
    #[serde(default)]
    pub minimum_version: TlsVersion,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    /// RFC 5246, with forward secrecy and authenticated encryption only.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    V1_3,
}

/// `[[issuers]]`: one whose tokens count.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Issuer {
    /// What the token's `iss` must be, to the letter.
    pub issuer: String,
    /// One of these must be in the token's `aud`.
    #[serde(deserialize_with = "one_or_more")]
    pub audiences: Vec<String>,
    /// JSON Web Key Set (RFC 7517) with the issuer's public keys.
    pub jwks_file: PathBuf,
    /// Which signatures count. Asymmetric ones only.
    #[serde(default = "Issuer::algorithms")]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// The claim that names the user.
    #[serde(default = "Issuer::user_claim")]
    pub user_claim: String,
    /// Put before the user's name, so that two issuers cannot speak of the same user.
    #[serde(default)]
    pub user_prefix: String,
    /// The claim that names the groups: a string or a list of strings.
    #[serde(default = "Issuer::groups_claim")]
    pub groups_claim: String,
    /// Put before each group's name.
    #[serde(default)]
    pub groups_prefix: String,
    /// How far the issuer's clock may be off, in seconds.
    #[serde(default = "Issuer::leeway")]
    pub leeway_seconds: u16,
}

/// An asymmetric signature algorithm of RFC 7518 or RFC 8037. The symmetric ones and `none` cannot be written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the RFCs")]
pub enum SignatureAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    #[serde(rename = "EdDSA")]
    EdDSA,
}

impl SignatureAlgorithm {
    const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];
}

impl From<SignatureAlgorithm> for Algorithm {
    fn from(algorithm: SignatureAlgorithm) -> Self {
        match algorithm {
            SignatureAlgorithm::RS256 => Self::RS256,
            SignatureAlgorithm::RS384 => Self::RS384,
            SignatureAlgorithm::RS512 => Self::RS512,
            SignatureAlgorithm::PS256 => Self::PS256,
            SignatureAlgorithm::PS384 => Self::PS384,
            SignatureAlgorithm::PS512 => Self::PS512,
            SignatureAlgorithm::ES256 => Self::ES256,
            SignatureAlgorithm::ES384 => Self::ES384,
            SignatureAlgorithm::EdDSA => Self::EdDSA,
        }
    }
}

impl Issuer {
    fn algorithms() -> Vec<SignatureAlgorithm> {
        SignatureAlgorithm::ALL.to_vec()
    }

    fn user_claim() -> String {
        "sub".to_owned()
    }

    fn groups_claim() -> String {
        "groups".to_owned()
    }

    fn leeway() -> u16 {
        30
    }
}

/// `[authorization]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Authorization {
    /// The built-in policy: who may, and where. Without an entry it is not asked, and policies alone decide.
    pub allow: Vec<AllowRule>,
}

/// `[shadow]`: policies that are only tried out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Shadow {
    /// Their allow list, as `authorization.allow`.
    pub allow: Vec<AllowRule>,
    /// Their components, as `[[policies]]`.
    pub policies: Vec<gateway_policy::Spec>,
    /// How many requests may wait for them; more are left out and counted. A reload does not change it.
    pub waiting: NonZeroUsize,
}

/// `[policy-engine]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PolicyEngine {
    /// Where compiled policies are kept, so that a start need not compile them again; empty for nowhere.
    pub cache_directory: PathBuf,
    /// Policies that run at once on this node; more wait, within their deadlines.
    pub slots: NonZeroUsize,
    /// The most memory that any one policy can have, in bytes. Times `slots` it bounds all of them.
    pub memory_bytes: NonZeroUsize,
    /// Whether a policy that cannot be loaded keeps the gateway from starting, instead of denying what it is bound to.
    pub strict: bool,
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
    #[serde(deserialize_with = "absolute")]
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

/// `[telemetry]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Telemetry {
    /// How log lines look.
    pub log_format: LogFormat,
    /// The least important lines that are written.
    pub log_level: LogLevel,
    /// Where traces go: the base URL of an OTLP receiver, such as `http://127.0.0.1:4317`; empty for nowhere.
    pub otlp_endpoint: String,
    /// How they go there.
    pub otlp_protocol: OtlpProtocol,
    /// Whether the records of the audit log go there too, as logs. The file stays what counts.
    pub otlp_audit_log: bool,
    /// `service.name` of what goes there.
    pub service_name: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people; in colour on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How important a line must be to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// A transport of the OpenTelemetry protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum OtlpProtocol {
    /// gRPC, commonly on port 4317.
    #[default]
    #[serde(rename = "grpc")]
    Grpc,
    /// Protobuf in HTTP, commonly on port 4318.
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() { Err(D::Error::custom("name at least one")) } else { Ok(list) }
}

/// The shortest segment, in bytes: each is a file.
const SHORTEST_SEGMENT: u64 = 64 << 10;

fn segment_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let bytes = u64::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format_args!("must be at least {SHORTEST_SEGMENT}"));
    if bytes < SHORTEST_SEGMENT { Err(wrong()) } else { Ok(bytes) }
}

fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    let wrong = || D::Error::custom("must be an absolute path, since the runtime is told it");
    if path.is_absolute() { Ok(path) } else { Err(wrong()) }
}

/// `seconds` as a duration.
pub(crate) fn seconds(seconds: NonZeroU32) -> Duration {
    Duration::from_secs(seconds.get().into())
}

pub(super) const fn at_least_one(value: usize) -> NonZeroUsize {
    match NonZeroUsize::new(value) {
        Some(value) => value,
        None => NonZeroUsize::MIN,
    }
}

const fn at_least(value: u32) -> NonZeroU32 {
    match NonZeroU32::new(value) {
        Some(value) => value,
        None => NonZeroU32::MIN,
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { address: ([0, 0, 0, 0], 10_260).into(), admin_address: ([127, 0, 0, 1], 10_261).into() }
    }
}

impl Default for Shadow {
    fn default() -> Self {
        Self { allow: Vec::new(), policies: Vec::new(), waiting: at_least_one(256) }
    }
}

impl Default for PolicyEngine {
    fn default() -> Self {
        Self {
            cache_directory: PathBuf::from("/var/lib/checkpoint-gateway/policies"),
            slots: at_least_one(4),
            memory_bytes: at_least_one(64 << 20),
            strict: false,
        }
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self { socket: None, running: at_least_one(2), waiting: 16, waiting_per_container: 4 }
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

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log_format: LogFormat::default(),
            log_level: LogLevel::default(),
            otlp_endpoint: String::new(),
            otlp_protocol: OtlpProtocol::default(),
            otlp_audit_log: false,
            service_name: "checkpoint-gateway".to_owned(),
        }
    }
}
