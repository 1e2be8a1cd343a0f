//! The bodies of answers. They are written by hand, since the core, whose types they describe, must not know of schemas; the
//! suite fills in each type and holds it against its schema, so that neither can have a field that the other has not.

mod checkpoint;
mod inspection;
mod words;

pub(super) use words::{
    constant, count, date_time, list, object, or_null, reference, sha256, text, trace_id, uuid,
};

use gateway_core::CredentialKind;
use serde_json::{Map, Value, json};

use super::problems;
use words::words;

/// By their names.
pub(super) fn components() -> Value {
    let of_the_gateway = [
        ("Problem", problems::schema()),
        ("Identity", identity()),
        ("OpenApi", open_api()),
    ];
    let all = of_the_gateway
        .into_iter()
        .chain(checkpoint::schemas())
        .chain(inspection::schemas());
    all.map(|(name, schema)| (name.to_owned(), schema))
        .collect::<Map<_, _>>()
        .into()
}

fn identity() -> Value {
    let properties = json!({
        "user": text("The user's name, with the prefix that its issuer is configured to carry."),
        "groups": list(&json!({ "type": "string" }), "The user's groups, with the same."),
        "credential": words!(CredentialKind: BearerToken, ClientCertificate; "What proved it."),
        "issuer": text("The token's `iss`, or the subject of the certificate's issuer."),
        "claims": {
            "type": "object",
            "additionalProperties": true,
            "description": "The token's verified claims, or the certificate's names. Never the credential itself.",
        },
    });
    object("Who asks, as the gateway verified it.", properties, &[])
}

fn open_api() -> Value {
    let part = json!({ "type": "object" });
    let parts = json!({ "type": "array", "items": part });
    let properties = json!({
        "openapi": { "type": "string", "pattern": r"^3\.1\.\d+$" },
        "info": part,
        "servers": parts,
        "security": parts,
        "tags": parts,
        "paths": part,
        "components": part,
    });
    object("An OpenAPI document.", properties, &[])
}
