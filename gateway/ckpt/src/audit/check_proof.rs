//! `audit check-proof`: checks the proof of a record without the log.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use gateway_audit::{Proof, ProofError, PublicKey};
use gateway_core::Record;
use serde_json::{Value, json};

use super::trusted::key;
use crate::exit::Exit;
use crate::output::{Format, print, print_exact};

/// The longest proof that is read, in bytes: a record's line, up to six times as long when escaped, and some hashes.
const MAX_PROOF: u64 = 8 << 20;

/// Arguments of `audit check-proof`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The output of `audit prove`: one proof a line.
    proof: PathBuf,
    /// A public key that may have signed the log, as PEM, from a trusted source. Can be repeated.
    #[arg(long = "key", value_name = "PUBLIC.pem", value_parser = key, required = true)]
    keys: Vec<PublicKey>,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Checks that each record leads to the root in the head, and that one of the given keys has signed the head.

Example:
  ckpt audit check-proof proof.json --key audit.pem

Exit status:
  0  every proof holds
  1  a proof does not hold, or the file cannot be read
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let read = || format!("cannot read `{}`", options.proof.display());
    let mut lines = BufReader::new(File::open(&options.proof).with_context(read)?);
    let (mut exit, mut count, mut line) = (Exit::Success, 0_u64, Vec::new());
    loop {
        line.clear();
        if (&mut lines)
            .take(MAX_PROOF)
            .read_until(b'\n', &mut line)
            .with_context(read)?
            == 0
        {
            break;
        }
        count += 1;
        let proof: Proof = serde_json::from_slice(&line).with_context(|| {
            format!("`{}`, line {count} is not a proof", options.proof.display())
        })?;
        let checked = proof.check(&options.keys);
        if checked.is_err() {
            exit = Exit::Failure;
        }
        match options.output {
            Format::Text => show(&proof, checked),
            Format::Json => print_exact(to_json(&proof, checked)),
        }
    }
    ensure!(count > 0, "`{}` contains no proof", options.proof.display());
    Ok(exit)
}

fn show(proof: &Proof, checked: Result<Record, ProofError>) {
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
