use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use gateway_audit::{Proof, ProofError, PublicKey};
use gateway_core::Record;
use serde_json::{Value, json};

use super::trusted::key;
use crate::archive::Output;
use crate::exit::Exit;
use crate::output::print;

/// No proof is longer, in bytes: a record's line, which JSON may write six times as long, and some hashes.
const LONGEST: u64 = 8 << 20;

/// Arguments of `audit check-proof`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// What `audit prove` printed: a proof a line.
    proof: PathBuf,
    /// A public key that may have signed the log, as PEM, from a place that is trusted; repeat it for several.
    #[arg(long = "key", value_name = "PUBLIC.pem", value_parser = key, required = true)]
    keys: Vec<PublicKey>,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
Checks, without the log, that each record leads to the root of the head, and that the head is signed by a key that was given.

Exit status: 0 where all of it holds, 1 where something does not or the file cannot be read.";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let read = || format!("cannot read `{}`", options.proof.display());
    let mut lines = BufReader::new(File::open(&options.proof).with_context(read)?);
    let (mut exit, mut count, mut line) = (Exit::Success, 0_u64, Vec::new());
    loop {
        line.clear();
        if (&mut lines)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .with_context(read)?
            == 0
        {
            break;
        }
        count += 1;
        let proof: Proof = serde_json::from_slice(&line).with_context(|| {
            format!(
                "`{}`, line {count}: it is no proof",
                options.proof.display()
            )
        })?;
        let checked = proof.check(&options.keys);
        if checked.is_err() {
            exit = Exit::Failure;
        }
        match options.output {
            Output::Text => tell(&proof, checked),
            Output::Json => print(to_json(&proof, checked)),
        }
    }
    ensure!(count > 0, "`{}` holds no proof", options.proof.display());
    Ok(exit)
}

fn tell(proof: &Proof, checked: Result<Record, ProofError>) {
    match checked {
        Ok(record) => {
            let head = &proof.head;
            print(format_args!("seq {}: proven", proof.index));
            print(format_args!("  request  {}", record.request_id));
            print(format_args!("  written  {}", record.at));
            print(format_args!(
                "  head     {} records, signed at {} (key {})",
                head.head.size, head.at, head.head.key
            ));
        }
        Err(why) => {
            print(format_args!("seq {}: not proven", proof.index));
            print(format_args!("  FAIL  {why}"));
        }
    }
}

fn to_json(proof: &Proof, checked: Result<Record, ProofError>) -> Value {
    match checked {
        Ok(record) => {
            json!({ "ok": true, "seq": proof.index, "record": record, "head": proof.head })
        }
        Err(why) => json!({ "ok": false, "seq": proof.index, "why": why.to_string() }),
    }
}
