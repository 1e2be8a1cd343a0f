//! The HTTP interface as OpenAPI 3.1 has it, made from the code: the calls are those of [`Operation::ALL`], the problems
//! those of [`Error::ANSWERS`](crate::Error::ANSWERS). The suite holds every answer that it gets against it.

mod headers;
mod operations;
mod parameters;
mod problems;
mod schemas;
mod successes;

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::Listen;
use crate::operation::Operation;

static TEXT: LazyLock<String> = LazyLock::new(|| {
    // Strings and numbers under texts as keys always serialize.
    let mut text = serde_json::to_string_pretty(&Document::new()).unwrap_or_default();
    text.push('\n');
    text
});

/// The document as it is served and printed: JSON on many lines, the last of which is ended.
pub fn text() -> &'static str {
    &TEXT
}

/// In the order in which one reads it.
#[derive(Serialize)]
struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    security: Value,
    tags: Value,
    paths: Map<String, Value>,
    components: Value,
}

impl Document {
    fn new() -> Self {
        Self {
            openapi: "3.1.0",
            info: info(),
            servers: servers(),
            security: json!([{ "bearer": [] }, { "certificate": [] }, { "bearer": [], "certificate": [] }]),
            tags: json!([
                { "name": "kubelet", "description": "The kubelet's own endpoint, in front of the container runtime." },
                { "name": "checkpoints", "description": "Access to checkpoints that exist, each kind of it an action that policies judge." },
                { "name": "gateway", "description": "What the gateway tells of itself and of its callers. No policy is asked." },
            ]),
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
        "summary": "A gate in front of container checkpoints",
        "description": "Who asks is proven, whether they may is decided by policies, and what they take is redacted, hashed, stored and recorded.\n\n\
            Nothing in a path is decoded: percent-encoding there is refused, and no name needs it. No call needs a body. \
            Errors are problems of RFC 9457 whose `code` is stable. Every answer has an `x-request-id`, by which the log, \
            the trace and the audit log tell of it.",
        "license": { "name": "Apache License 2.0", "identifier": "Apache-2.0" },
    })
}

fn servers() -> Value {
    let port = Listen::default().address.port().to_string();
    json!([{
        "url": "https://{host}:{port}",
        "description": "The main listener (`listen.address`): TLS only.",
        "variables": {
            "host": { "default": "localhost", "description": "A node that runs the gateway." },
            "port": { "default": port, "description": "The port of `listen.address`." },
        },
    }])
}

fn paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for operation in Operation::ALL {
        let item = paths
            .entry(operation.template())
            .or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(
                operation.method().as_str().to_ascii_lowercase(),
                operations::of(operation),
            );
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
            "description": "A signed token (RFC 7519) of one of `[[issuers]]`, for its audience. One that is bound to a certificate (RFC 8705) needs that, too.",
        },
        "certificate": {
            "type": "mutualTLS",
            "description": "A client certificate of `tls.client-ca`. Where a token comes with it both must hold, and the token names the caller.",
        },
    })
}
