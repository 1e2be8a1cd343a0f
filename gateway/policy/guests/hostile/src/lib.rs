//! A policy that attacks the gateway as its settings say: `{"do": "loop"}`.

mod attacks;
mod settings;

#[cfg(feature = "authorizer")]
mod authorizer;
#[cfg(feature = "redactor")]
mod redactor;
