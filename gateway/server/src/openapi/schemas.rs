//! The schemas of bodies, which are derived from their types, and of texts in headers and parameters.

use gateway_core::{Identity, RequestId, TraceId};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::Document;
use crate::bodies::{Accepted, CheckpointPage, HeldCheckpoint, InspectedCheckpoint, StoredArchive};
use crate::reply::Problem;

/// Every body and the types in it, by name.
pub(super) fn components() -> Value {
    let mut generator = generator();
    generator.subschema_for::<Problem<'_>>();
    generator.subschema_for::<Identity>();
    generator.subschema_for::<Document>();
    generator.subschema_for::<StoredArchive<'_>>();
    generator.subschema_for::<Accepted>();
    generator.subschema_for::<CheckpointPage>();
    generator.subschema_for::<InspectedCheckpoint<'_>>();
    generator.subschema_for::<HeldCheckpoint<'_>>();
    generator.take_definitions(true).into()
}

/// A reference to the body `T`.
pub(super) fn reference<T: JsonSchema>() -> Schema {
    generator().subschema_for::<T>()
}

pub(super) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

/// This text and no other.
pub(super) fn constant(text: &str) -> Value {
    json!({ "type": "string", "const": text })
}

pub(super) fn date_time(description: &str) -> Value {
    described::<jiff::Timestamp>(description)
}

/// An id, which has one spelling only.
pub(super) fn uuid(description: &str) -> Value {
    described::<RequestId>(description)
}

pub(super) fn trace_id(description: &str) -> Value {
    described::<TraceId>(description)
}

fn described<T: JsonSchema>(description: &str) -> Value {
    let mut schema = generator().subschema_for::<T>();
    schema.insert("description".to_owned(), description.into());
    schema.to_value()
}

fn generator() -> SchemaGenerator {
    gateway_core::schema::generator("/components/schemas")
}
