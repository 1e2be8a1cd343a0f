//! A policy that misbehaves in whatever way its settings say: `{"do": "loop"}`.

mod deeds;
mod settings;

#[cfg(feature = "authorizer")]
mod authorizer;
#[cfg(feature = "redactor")]
mod redactor;
