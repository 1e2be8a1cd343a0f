//! `check`: reports mistakes in a configuration without starting anything.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gateway_server::config::Environment;
use serde_json::json;

use crate::exit::Exit;
use crate::output;

/// Arguments of `check`.
#[derive(Args)]
pub(crate) struct Options {
    /// The configuration, as TOML.
    #[arg(long, env = "CHECKPOINT_GATEWAY_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object for machines.
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
