//! `audit verify`: verifies an audit log.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use gateway_audit::{Anchor, ClockSetBack, KeptHead, Trust, Verified, VerifyError};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::trusted::{Trusted, kept, unreadable};
use crate::exit::Exit;
use crate::output::{Format, print, print_exact};

/// Arguments of `audit verify`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log. Closed segments beside it are read, too.
    file: PathBuf,
    /// An earlier head from a trusted source: the digest that this command printed, or a file that `audit head` wrote.
    #[arg(long, value_name = "HEX|FILE", value_parser = kept)]
    head: Option<KeptHead>,
    #[command(flatten)]
    trusted: Trusted,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Finds lines that were changed, removed, added or moved, and names the first by file, line number and seq. Prints the number \
of records, the times of the first and the last, and the head: the SHA-256 of the last line.

A gateway with a key signs the log at intervals. With --key and a public key from a trusted source, everything up to the last \
signature is proven to be the gateway's. Without --key, signatures are checked with the keys that the log itself names; an \
attacker who can rewrite the whole log can replace those, too.

The log alone cannot show that lines were cut off its end. Keep heads on another machine: with --head, the command checks that \
the log still begins with the same records, and reports a truncated or forked log.

If old segments were moved away, pass --anchor SEQ:HEX, which `--output json` printed under `files` while they were there.

While a gateway writes, the last line may be incomplete; it is reported as incomplete. Run the command again.

Examples:
  ckpt audit verify audit.log --key audit.pem
  ckpt audit head audit.log > head.json                              keep the signed head
  ckpt audit verify audit.log --output json | jq -r .head            keep the digest, if there is no key
  ckpt audit verify audit.log --key audit.pem --head head.json       later

Exit status:
  0  the log holds
  1  the log does not hold, or it cannot be read
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let expected = options.trusted.expected(options.head.as_ref());
    let verified = match gateway_audit::verify(&options.file, &expected) {
        Err(error) => Err(unreadable(error)?),
        verified => verified,
    };
    let exit = if verified.is_ok() {
        Exit::Success
    } else {
        Exit::Failure
    };
    let name = options.file.display();
    match (options.output, &verified) {
        (Format::Json, verified) => print_exact(to_json(&name.to_string(), verified)),
        (Format::Text, Ok(verified)) => {
            print(format_args!("{name}: holds"));
            print_lines(verified);
        }
        (Format::Text, Err(why)) => {
            print(format_args!("{name}: does not hold"));
            print(format_args!("  FAIL  {why}"));
        }
    }
    Ok(exit)
}

fn print_lines(verified: &Verified) {
    let say = |name: &str, text: String| print(format_args!("  {name:<9}{text}"));
    say("records", verified.records.to_string());
    if verified.begins != 0 {
        say(
            "begins",
            format!(
                "at seq {}; records before it were not checked",
                verified.begins
            ),
        );
    }
    for (what, time) in [("first", verified.first), ("last", verified.last)] {
        if let Some(time) = time {
            say(what, time.to_string());
        }
    }
    if let Some(ClockSetBack { seq, by }) = verified.set_back {
        say(
            "clock",
            format!(
                "was set back: at seq {seq} it was {:#} behind",
                SignedDuration::from_secs(by.as_secs())
            ),
        );
    }
    say("head", verified.head.clone());
    say("signed", signed(verified));
    for seq in &verified.unproven {
        say(
            "key",
            format!("changed at seq {seq} without the signature of the key before"),
        );
    }
    if let Some(seq) = verified.keyless {
        say(
            "key",
            format!("removed at seq {seq}: no record after it is signed"),
        );
    }
    say(
        "proven",
        match verified.covered {
            Some(records) => format!("{records} records by --head"),
            None => "nothing about the end of the log: give --head with a head kept elsewhere"
                .to_owned(),
        },
    );
}

fn signed(verified: &Verified) -> String {
    let Some(signed) = &verified.signed else {
        return "no".to_owned();
    };
    let (at, size, key) = (signed.at, signed.head.size, &signed.head.key);
    match verified.trust {
        Trust::Given => {
            format!(
                "up to seq {} at {at} by a key that was given (key {key})",
                size.saturating_sub(1)
            )
        }
        _ => format!(
            "up to seq {} at {at} by a key that only the log itself names: give --key (key {key})",
            size.saturating_sub(1)
        ),
    }
}

fn to_json(name: &str, verified: &Result<Verified, VerifyError>) -> Value {
    match verified {
        Ok(Verified {
            begins,
            records,
            head,
            first,
            last,
            set_back,
            covered,
            signed,
            trust,
            unproven,
            keyless,
            files,
        }) => {
            json!({
                "log": name, "ok": true, "begins": begins, "records": records, "first": first, "last": last,
                "set_back": set_back.map(|ClockSetBack { seq, by }| json!({ "seq": seq, "seconds": by.as_secs() })), "head": head,
                "covered": covered, "signed": signed, "trust": word(*trust), "unproven": unproven, "keyless": keyless,
                "files": files.iter().map(|(path, Anchor { seq, prev })| {
                    json!({ "file": path, "begins": seq, "anchor": format!("{seq}:{prev}") })
                }).collect::<Vec<_>>(),
            })
        }
        Err(why) => {
            let place = match why {
                VerifyError::Broken {
                    path, line, seq, ..
                } => Some((path, line, seq)),
                _ => None,
            };
            let (file, line, seq) = (
                place.map(|at| at.0),
                place.map(|at| at.1),
                place.map(|at| at.2),
            );
            json!({ "log": name, "ok": false, "file": file, "line": line, "seq": seq, "why": why.to_string() })
        }
    }
}

fn word(trust: Trust) -> &'static str {
    match trust {
        Trust::Unsigned => "unsigned",
        Trust::Named => "named",
        Trust::Given => "given",
    }
}
