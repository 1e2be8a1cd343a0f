//! `archive audit`: lists the credentials in an archive.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use gateway_archive::fingerprints;
use serde_json::json;

use super::file::open;
use super::{revoke, show_audit};
use crate::exit::Exit;
use crate::output::{Format, print_exact};
use crate::progress::ProgressReader;

/// Arguments of `archive audit`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The archive.
    file: PathBuf,
    /// The key for fingerprints: a file of at least 32 random bytes.
    #[arg(long, value_name = "FILE")]
    fingerprint_key: Option<PathBuf>,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Lists what looks like a credential: what detectors find, values of variables whose names suggest secrets (*_TOKEN, DBPASS, \
...) in all their copies, and certificates. For each the kind, the places with the number of copies, and the expiry of tokens \
(exp) and certificates (notAfter). Values are never printed. Then what would have to be revoked if somebody had read the \
archive, and what was not looked at (encrypted or damaged contents). Processor registers, compressed files and archives inside \
are looked into. Certificates of authorities are counted only: they are public.

With --fingerprint-key, keys and tokens that are made at random get a fingerprint, HMAC-SHA-256 under that key: the same \
credential has the same one in every archive, and whoever does not have the key cannot try guesses. Passwords that people \
choose never get one.

With --output json: { archive, found, credentials, unlisted, authorities, revoke, not_looked_at }.

Examples:
  ckpt archive audit checkpoint.tar
  head -c 32 /dev/urandom > fingerprint.key && chmod 600 fingerprint.key
  ckpt archive audit --fingerprint-key fingerprint.key checkpoint.tar --output json | jq '.credentials[].fingerprint'
  ckpt archive audit redacted.tar && echo nothing is left

Exit status:
  0  nothing was found
  1  something was found, or the archive cannot be read
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let key = options.fingerprint_key.as_deref();
    let fingerprint = key.map(fingerprints).transpose()?;
    let (file, bytes) = open(&options.file)?;
    let name = options.file.display().to_string();
    let mut archive = ProgressReader::new(file, "searching", bytes, options.output);
    let audit = gateway_redact::audit(&mut archive, &mut tempfile::tempfile, fingerprint)
        .with_context(|| format!("cannot search `{name}`"))?;
    drop(archive);
    let revoke = revoke::of(&audit.report.credentials, jiff::Timestamp::now());
    let report = &audit.report;
    let found = !report.credentials.is_empty() || report.unlisted > 0;
    match options.output {
        Format::Text => show_audit::audit(&name, &audit, &revoke),
        Format::Json => print_exact(json!({
            "archive": name,
            "found": found,
            "credentials": report.credentials,
            "unlisted": report.unlisted,
            "authorities": report.authorities,
            "revoke": revoke,
            "not_looked_at": audit.not_looked_at,
        })),
    }
    Ok(if found { Exit::Failure } else { Exit::Success })
}
