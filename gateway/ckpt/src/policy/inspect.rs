//! `ckpt policy inspect`: describes a component.

use std::path::PathBuf;

use clap::Args;
use gateway_policy::{Description, Kind};
use serde_json::json;

use super::ask::engine;
use crate::exit::Exit;
use crate::output::{print, print_exact};

/// Arguments of `policy inspect`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The component.
    file: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Prints the kind of the policy, its contract, digest, size and imports, and the JSON Schema of its settings.

Example:
  ckpt policy inspect no-fridays.wasm --json | jq .schema

Exit status:
  0  success
  1  the file is not a policy, or it cannot be read
  2  wrong usage";

pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let Description {
        kind,
        digest,
        bytes,
        imports,
        schema,
    } = Description::of(&engine()?, &options.file)?;
    let kind = match kind {
        Kind::Authorizer => "authorizer",
        Kind::Redactor => "redactor",
    };
    let contract = "checkpoint-gateway:policy@0.1.0";
    if options.json {
        print_exact(json!({
            "kind": kind, "contract": contract, "sha256": digest, "bytes": bytes, "imports": imports, "schema": schema,
        }));
        return Ok(Exit::Success);
    }
    let needs_wasi = imports.iter().any(|import| import.starts_with("wasi:"));
    let imports = if imports.is_empty() {
        "nothing".to_owned()
    } else {
        imports.join(", ")
    };
    print(format_args!("kind      {kind}"));
    print(format_args!("contract  {contract}"));
    print(format_args!("sha256    {digest}"));
    print(format_args!("size      {bytes} bytes"));
    print(format_args!("imports   {imports}"));
    if needs_wasi {
        print(format_args!(
            "needs     wasi = \"empty\" in its [[policies]] entry (and --wasi here)"
        ));
    }
    print(format_args!("settings  {schema:#}"));
    Ok(Exit::Success)
}
