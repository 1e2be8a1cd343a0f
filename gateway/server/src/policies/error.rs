//! The reasons for which policies cannot be set up.

use gateway_policy::Fault;

/// Why policies cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine cannot be created, for example because its memory cannot be reserved.
    #[error(
        "cannot create the policy engine (`policy-engine.slots`, `policy-engine.memory-bytes`): {0}"
    )]
    Engine(String),
    /// The cache directory cannot be used.
    #[error(
        "cannot use the cache of compiled policies in `{path}` (`policy-engine.cache-directory`)"
    )]
    Cache {
        /// The directory.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A policy cannot be loaded, and `strict` or a reload asks for all of them.
    #[error("policy `{policy}` cannot be loaded ({}): {fault}", .fault.code())]
    Broken {
        /// The policy's name.
        policy: String,
        /// The fault.
        fault: Fault,
    },
}
