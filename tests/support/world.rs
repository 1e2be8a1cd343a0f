//! A node with one pod, and a gateway in front of it.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use gateway_audit::SigningKey;
use gateway_ckpt::pki::{Authority, Credential, Subject, TokenIssuer};
use gateway_node::{ContainerSpec, Dialect, Method, Node, Options, Pod, RunningPod};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Client, Gateway};

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "checkpoint-gateway";
/// The path that asks for a checkpoint of the pod that every world has.
pub const PATH: &str = "/checkpoint/shop/cart-0/app";
/// In the environment of that pod's process.
pub const SECRET: &str = "correct-horse-battery-staple";

/// Authorities and issuers.
pub struct Credentials {
    pub authority: Authority,
    pub clients: Authority,
    pub issuer: TokenIssuer,
}

impl Credentials {
    pub fn new() -> Self {
        Self {
            authority: Authority::new("server CA").unwrap(),
            clients: Authority::new("client CA").unwrap(),
            issuer: TokenIssuer::new(ISSUER).unwrap(),
        }
    }

    /// A token for `user`, good for an hour.
    pub fn token(&self, user: &str) -> String {
        self.issuer.sign(claims(user)).unwrap()
    }

    pub fn certificate(&self, name: &str, organizations: &[&str]) -> Credential {
        self.clients
            .client(&Subject::client(name, organizations))
            .unwrap()
    }

    /// A configuration in `directory` for the runtime at `socket`, with the files that it names.
    pub fn configure(&self, directory: &Path, socket: &Path, checkpoints: &Path) -> toml::Table {
        let (certificate, key) = self
            .authority
            .server()
            .unwrap()
            .write(directory, "server")
            .unwrap();
        let client_ca = directory.join("client-ca.crt");
        std::fs::write(&client_ca, self.clients.pem()).unwrap();
        let jwks = directory.join("jwks.json");
        std::fs::write(&jwks, self.issuer.jwks().unwrap()).unwrap();
        let config = json!({
            "listen": { "address": "127.0.0.1:0", "admin-address": "127.0.0.1:0" },
            "tls": { "certificate": certificate, "key": key, "client-ca": client_ca },
            "issuers": [{ "issuer": ISSUER, "audiences": [AUDIENCE], "jwks-file": jwks }],
            "authorization": { "allow": [{ "users": ["alice"], "groups": ["responders"] }] },
            "runtime": { "socket": socket },
            "checkpoints": { "directory": checkpoints, "min-free-bytes": 0 },
            "audit": { "file": directory.join("audit.log") },
            "telemetry": { "log-format": "json", "log-level": "trace" },
        });
        toml::Table::try_from(config).unwrap()
    }
}

/// Claims of a good token for `user`.
pub fn claims(user: &str) -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    json!({ "sub": user, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 3600 })
}

/// A node, a pod, a gateway.
pub struct World {
    pub gateway: Gateway,
    pub node: Node,
    pub pod: RunningPod,
    pub credentials: Credentials,
    pub directory: TempDir,
    pub config: toml::Table,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A world whose configuration `change` has had its hands on.
    pub async fn with(change: impl FnOnce(&mut toml::Table)) -> Self {
        Self::beside(Dialect::default(), change).await
    }

    /// The same beside a runtime that writes archives of this dialect.
    pub async fn beside(dialect: Dialect, change: impl FnOnce(&mut toml::Table)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::new();
        let mut options = options(directory.path());
        options.dialect = dialect;
        if dialect == Dialect::CriO {
            "cri-o".clone_into(&mut options.name);
        }
        let node = Node::start(options).await.unwrap();
        let pod = node.run_pod(pod("cart-0")).await.unwrap();
        let checkpoints = directory.path().join("checkpoints");
        let mut config = credentials.configure(directory.path(), node.socket(), &checkpoints);
        change(&mut config);
        let gateway = Gateway::start(&write(directory.path(), &config)).await;
        Self {
            gateway,
            node,
            pod,
            credentials,
            directory,
            config,
        }
    }

    /// A world whose audit log is signed by a new key, with the public key in [`World::public_key`].
    pub async fn signed(change: impl FnOnce(&mut toml::Table)) -> Self {
        Self::with(|config| {
            let log = Path::new(config["audit"]["file"].as_str().unwrap()).to_owned();
            let key = log.with_file_name("audit.key");
            make_key(&key);
            set(config, "audit.key-file", key.to_str().unwrap());
            change(config);
        })
        .await
    }

    /// The same world after its gateway was started anew.
    pub async fn restarted(mut self) -> Self {
        self.gateway = Gateway::start(&write(self.directory.path(), &self.config)).await;
        self
    }

    /// A client that presents nothing.
    pub fn anonymous(&self) -> Client {
        Client::new(self.gateway.address, self.credentials.authority.pem())
    }

    /// A client with a good token for `user`.
    pub fn client(&self, user: &str) -> Client {
        self.anonymous().with_token(&self.credentials.token(user))
    }

    /// A client with a certificate.
    pub fn certified(&self, credential: &Credential) -> Client {
        self.anonymous()
            .with_certificate(self.credentials.authority.pem(), credential)
    }

    /// The number of calls about pods and containers that reached the runtime, without the version call of a start.
    pub fn runtime_calls(&self) -> usize {
        let calls = self.node.calls();
        calls.total() - calls.of(Method::Version)
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.directory.path().join("checkpoints")
    }

    /// The names of the published files, sorted.
    pub fn published(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.checkpoints()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    /// The path of the audit log.
    pub fn audit_log(&self) -> PathBuf {
        self.directory.path().join("audit.log")
    }

    /// The public key of the audit log of a signed world, as PEM.
    pub fn public_key(&self) -> PathBuf {
        self.directory.path().join("audit.pem")
    }

    /// The records of the audit log.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.audit_log()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

pub async fn start_node(directory: &Path) -> Node {
    Node::start(options(directory)).await.unwrap()
}

fn options(directory: &Path) -> Options {
    Options::new(directory.join("cri.sock"), directory.join("node"))
}

/// A pod of the namespace `shop` whose process has [`SECRET`] in its environment.
pub fn pod(name: &str) -> Pod {
    let app = ContainerSpec::new("app", ["/bin/sh", "-c", "while :; do sleep 1; done"]);
    Pod::new(
        "shop",
        name,
        [app.env("PATH", "/usr/bin:/bin").env("API_KEY", SECRET)],
    )
}

pub fn write(directory: &Path, config: &toml::Table) -> PathBuf {
    let path = directory.join("config.toml");
    std::fs::write(&path, toml::to_string(config).unwrap()).unwrap();
    path
}

/// Makes a key that signs audit logs in `file`, and returns the file of its public half.
pub fn make_key(file: &Path) -> PathBuf {
    let public = file.with_extension("pem");
    std::fs::write(&public, SigningKey::generate(file).unwrap().pem()).unwrap();
    public
}

/// Sets `section.key` in a configuration.
pub fn set(config: &mut toml::Table, key: &str, value: impl Into<toml::Value>) {
    let (section, key) = key.split_once('.').unwrap();
    let section = config
        .entry(section)
        .or_insert_with(|| toml::Table::new().into());
    section
        .as_table_mut()
        .unwrap()
        .insert(key.to_owned(), value.into());
}
