use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use gateway_audit::{Anchor, ClockSetBack, KeptHead, Trust, Verified, VerifyError};
use serde_json::{Value, json};

use super::trusted::{Trusted, kept, unreadable};
use crate::archive::Output;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `audit verify`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log; its closed segments are read where they lie beside it.
    file: PathBuf,
    /// The head of an earlier time, from a place that is trusted more than the file: the digest that this command printed, or a
    /// file that `audit head` wrote.
    #[arg(long, value_name = "HEX|FILE", value_parser = kept)]
    head: Option<KeptHead>,
    #[command(flatten)]
    trusted: Trusted,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
Finds a line that was changed, removed, added or moved, and names the first by its file, its number in it and its seq. \
Prints how many records there are, when the first and the last were written, and the head: the SHA-256 of the last line.

Where the gateway has a key, it signs the log again and again. With --key, the public key from a place that is trusted more \
than the log, all up to the last signature is what the gateway wrote. Without it, signatures are checked against the keys that the \
log itself names, and whoever can write all of it anew can name another one.

Nothing in the log can show that lines were cut off its end. A head that was kept elsewhere shows it: with --head, all records up to \
that one are proven to be those that were there at that time, or else it says that the log was cut, or that it is a fork. So \
keep heads away from the node:

  ckpt audit head audit.log > head.json        signed: keep this
  ckpt audit verify audit.log --output json | jq -r .head    or this, where there is no key
  ckpt audit verify audit.log --key audit.pem --head head.json    later

Where old segments were moved away, give --anchor SEQ:HEX as it stood under `files` with --output json before that.

While a gateway writes to the log, its last line may be half there, and is then called cut short: try again.

Exit status: 0 where the log holds, 1 where it does not or cannot be read.";

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
    Ok(exit)
}

fn print_lines(verified: &Verified) {
    let say = |what: &str, text: String| print(format_args!("  {what:<9}{text}"));
    say("records", verified.records.to_string());
    if verified.begins != 0 {
        say(
            "begins",
            format!("at seq {}: what is before was not checked", verified.begins),
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
                "set back: at seq {seq} it was {} s behind what it had said",
                by.as_secs()
            ),
        );
    }
    say("head", verified.head.clone());
    say("signed", signed(verified));
    for seq in &verified.unproven {
        say(
            "key",
            format!("changed at seq {seq}, and the key before it did not vouch for that"),
        );
    }
    if let Some(seq) = verified.keyless {
        say(
            "key",
            format!("taken away at seq {seq}: nothing behind it is signed"),
        );
    }
    say(
        "proven",
        match verified.covered {
            Some(records) => format!("{records} records, by --head"),
            None => {
                "nothing about the end: give --head with a head that was kept elsewhere".to_owned()
            }
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
                "up to seq {}, at {at}, by a key that was given (key {key})",
                size.saturating_sub(1)
            )
        }
        _ => format!(
            "up to seq {}, at {at}, by a key that only the log itself names: give --key (key {key})",
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
