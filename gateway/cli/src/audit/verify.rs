use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use gateway_audit::{Unverified, Verified};
use serde_json::{Value, json};

use crate::archive::{Output, open};
use crate::{Exit, print};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// Arguments of `audit verify`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log.
    file: PathBuf,
    /// The head of an earlier time, as this command printed it, from a place that is trusted more than the file.
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    head: Option<String>,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
Finds a line that was changed, removed, added or moved, and names the first by its number. Prints how many \
records there are, when the first and the last were written, and the head: the SHA-256 of the last line.

The chain alone cannot show that lines were cut off the end, that the last line was changed, or that all of the log \
was written anew from some line on: whoever can write the file can do that. A head that was kept elsewhere shows it: with --head, \
all records up to that one are proven to be those that were there when it was printed. So keep heads away \
from the node:

  checkpoint-gateway audit verify audit.log --output json | jq -r .head    keep this
  checkpoint-gateway audit verify audit.log --head HEX                     later

While a gateway writes to the log, its last line may be half there, and is then called cut short: try again, or \
verify a copy.

Exit status: 0 where the chain holds, 1 where it does not or the log cannot be read.";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let (file, _) = open(&options.file)?;
    let verified = gateway_audit::verify(BufReader::with_capacity(CHUNK, file), options.head.as_deref());
    let exit = if verified.is_ok() { Exit::Success } else { Exit::Failure };
    match verified {
        Err(Unverified::Read(error)) => bail!("cannot read `{}`: {error}", options.file.display()),
        verified => tell(options, &verified),
    }
    Ok(exit)
}

fn tell(options: &Options, verified: &Result<Verified, Unverified>) {
    let name = options.file.display();
    match (options.output, verified) {
        (Output::Json, verified) => print(to_json(&name.to_string(), verified)),
        (Output::Text, Ok(verified)) => {
            print(format_args!("{name}: holds"));
            print_lines(verified);
        }
        (Output::Text, Err(why)) => {
            print(format_args!("{name}: does not hold"));
            print(format_args!("  FAIL  {why}"));
        }
    }
}

fn print_lines(verified: &Verified) {
    print(format_args!("  records  {}", verified.records));
    for (what, time) in [("first", verified.first), ("last", verified.last)] {
        if let Some(time) = time {
            print(format_args!("  {what:<7}  {time}"));
        }
    }
    print(format_args!("  head     {}", verified.head));
    match verified.covered {
        Some(records) => print(format_args!("  proven   {records} records, by --head")),
        None => print("  proven   nothing about the end: give --head with a head that was kept elsewhere"),
    }
}

fn to_json(name: &str, verified: &Result<Verified, Unverified>) -> Value {
    match verified {
        Ok(Verified { records, head, first, last, covered }) => json!({
            "log": name, "ok": true, "records": records, "first": first, "last": last, "head": head, "covered": covered,
        }),
        Err(why) => {
            let line = if let Unverified::Broken { line, .. } = why { Some(line) } else { None };
            json!({ "log": name, "ok": false, "line": line, "why": why.to_string() })
        }
    }
}

fn sha256(text: &str) -> Result<String, String> {
    let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| text.to_owned()).ok_or_else(|| "a head has 64 hexadecimal digits".to_owned())
}
