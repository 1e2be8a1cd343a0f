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
Prints the OpenAPI 3.1 document of this version's HTTP interface as JSON: what `GET /openapi.json` answers, to the byte. It has every \
call with its parameters, the schemas of its answers, and the codes of its errors. Neither a gateway nor a configuration is needed, so \
that a pipeline can make a client of it, or hold one version's interface against the next one's.

Exit status: 0 success; 1 where it cannot be written.

  checkpoint-gateway openapi > openapi.json
  checkpoint-gateway openapi | jq -r '.paths[][].operationId'
  curl --cacert ca.crt -H @token.header https://NODE:10260/openapi.json";

pub(crate) fn run(_: &Options) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    let written = out
        .write_all(gateway_server::openapi::text().as_bytes())
        .and_then(|()| out.flush());
    match written {
        // Whoever reads no further has had enough; any other file would be one that is cut.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the document")
        }
        _ => Ok(Exit::Success),
    }
}
