//! Describes the HTTP interface as an OpenAPI 3.1 document, made from the code: its operations are [`Operation::ALL`], its
//! problems [`Error::ANSWERS`](crate::Error::ANSWERS), its schemas those of the bodies' types.

mod headers;
mod operations;
mod parameters;
mod problems;
mod schemas;
mod successes;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::Listen;
use crate::operation::Operation;

static TEXT: LazyLock<String> = LazyLock::new(|| {
    // Serializing cannot fail: every key is a text.
    let mut text = serde_json::to_string_pretty(&Document::new()).unwrap_or_default();
    text.push('\n');
    text
});

/// The document as it is served and printed: indented JSON with a final newline.
pub fn text() -> &'static str {
    &TEXT
}

/// An OpenAPI document.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OpenApi")]
struct Document {
    // In the order in which people read them.
    #[schemars(regex(pattern = r"^3\.1\.\d+$"))]
    openapi: &'static str,
    #[schemars(with = "Map<String, Value>")]
    info: Value,
    #[schemars(with = "Vec<Map<String, Value>>")]
    servers: Value,
    #[schemars(with = "Vec<Map<String, Value>>")]
    security: Value,
    #[schemars(with = "Vec<Map<String, Value>>")]
    tags: Value,
    paths: Map<String, Value>,
    #[schemars(with = "Map<String, Value>")]
    components: Value,
}

impl Document {
    fn new() -> Self {
        Self {
            openapi: "3.1.0",
            info: info(),
            servers: servers(),
            security: json!([{ "bearer": [] }, { "certificate": [] }, { "bearer": [], "certificate": [] }]),
            tags: tags(),
            paths: paths(),
            components: json!({
                "parameters": parameters::components(),
                "headers": headers::components(),
                "schemas": schemas::components(),
                "securitySchemes": security_schemes(),
            }),
        }
    }
}

fn info() -> Value {
    json!({
        "title": "checkpoint-gateway",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "An access gateway for container checkpoints",
        "description": "The gateway authenticates callers, asks policies whether they may do what they request, and redacts, \
            hashes, stores and records the checkpoints that it creates.\n\n\
            Paths are not percent-decoded: percent signs in them are rejected, and no name needs one. No call needs a body. \
            Errors are problem details (RFC 9457) with a stable `code`. Every answer has an `x-request-id`, which the log, \
            the trace and the audit log contain, too.",
        "license": { "name": "Apache License 2.0", "identifier": "Apache-2.0" },
    })
}

fn servers() -> Value {
    let port = Listen::default().address.port().to_string();
    json!([{
        "url": "https://{host}:{port}",
        "description": "The main listener (`listen.address`), with TLS only.",
        "variables": {
            "host": { "default": "localhost", "description": "A node that runs the gateway." },
            "port": { "default": port, "description": "The port of `listen.address`." },
        },
    }])
}

fn tags() -> Value {
    json!([
        { "name": "kubelet", "description": "The kubelet's own endpoint, in front of the container runtime." },
        { "name": "checkpoints", "description": "Access to stored checkpoints. Policies decide about each kind of access." },
        { "name": "gateway", "description": "Information about the gateway and its callers. No policy is asked." },
    ])
}

fn paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for operation in Operation::ALL {
        let item = paths
            .entry(operation.template())
            .or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            let method = operation.method().as_str().to_ascii_lowercase();
            item.insert(method, operations::of(operation));
        }
    }
    paths
}

fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A signed token (RFC 7519) of one of `[[issuers]]`, with its audience. A token that is bound to a certificate (RFC 8705) needs that certificate, too.",
        },
        "certificate": {
            "type": "mutualTLS",
            "description": "A client certificate of `tls.client-ca`. If a token comes with it, both must be valid, and the token names the caller.",
        },
    })
}
