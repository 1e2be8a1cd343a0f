//! `openapi`: prints the description of the HTTP interface.

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};
use clap::Args;

use crate::exit::Exit;

/// Arguments of `openapi`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {}

const AFTER: &str = "\
Prints the OpenAPI 3.1 document of this version's HTTP interface as JSON: every call with its parameters, the schemas of the \
answers, and the error codes. Use it to generate a client, or to compare the interfaces of two versions. No configuration is \
needed.

`GET /openapi.json` returns the same document, byte for byte.

Examples:
  checkpoint-gateway openapi > openapi.json
  checkpoint-gateway openapi | jq -r '.paths[][].operationId'
  curl --cacert ca.crt -H @token.header https://NODE:10260/openapi.json

Exit status:
  0  success
  1  the document cannot be written";

pub(crate) fn run(_: &Options) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    let written = out
        .write_all(gateway_server::openapi::text().as_bytes())
        .and_then(|()| out.flush());
    match written {
        // A reader such as `head` may close the pipe early. Any other error would leave an incomplete file.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the document")
        }
        _ => Ok(Exit::Success),
    }
}
