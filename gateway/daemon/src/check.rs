//! `check`: reports mistakes in a configuration without starting anything.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gateway_server::config::Environment;
use serde_json::json;

use crate::exit::Exit;
use crate::output;

/// Arguments of `check`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// The configuration (TOML).
    #[arg(long, env = "CHECKPOINT_GATEWAY_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
Reads the configuration and the files that it names, as `serve` does, and reports the first mistake with line and column. It \
creates nothing and takes no lock, so that it can run beside a gateway that serves.

With --output json: { config, ok, mistake, line, column }.

Examples:
  checkpoint-gateway check --config /etc/checkpoint-gateway/config.toml
  checkpoint-gateway check --config config.toml --output json | jq -r .mistake

Exit status:
  0  the configuration is correct
  2  wrong usage
  3  the configuration is wrong";

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Text for people.
    #[default]
    Text,
    /// JSON for programs.
    Json,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let name = options.config.display().to_string();
    let checked = gateway_server::check(&options.config, &Environment::of_process());
    match (checked, options.output) {
        (Ok(()), Output::Text) => output::line(format_args!("{name}: fine")),
        (Ok(()), Output::Json) => output::line(json!({ "config": name, "ok": true })),
        (Err(error), Output::Text) => return Err(error.into()),
        (Err(error), Output::Json) => {
            let (line, column) = (error.line(), error.column());
            let mistake = format!("{:#}", anyhow::Error::from(error));
            output::line(
                json!({ "config": name, "ok": false, "mistake": mistake, "line": line, "column": column }),
            );
            return Ok(Exit::Misconfigured);
        }
    }
    Ok(Exit::Success)
}
