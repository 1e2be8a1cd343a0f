//! `check`: reports mistakes in a configuration without starting anything.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gateway_server::Config;
use gateway_server::config::Mistake;
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
    match (check(&options.config), options.output) {
        (Ok(()), Output::Text) => output::line(format_args!("{name}: fine")),
        (Ok(()), Output::Json) => output::line(json!({ "config": name, "ok": true })),
        (Err(mistake), Output::Text) => return Err(mistake.into()),
        (Err(mistake), Output::Json) => {
            output::line(
                json!({ "config": name, "ok": false, "mistake": format!("{:#}", anyhow::Error::from(mistake)) }),
            );
            return Ok(Exit::Misconfigured);
        }
    }
    Ok(Exit::Success)
}

fn check(path: &std::path::Path) -> Result<(), Mistake> {
    let config = Config::load(path, |name| std::env::var(name).ok())?;
    config.check_files().map_err(|unusable| {
        // The text was read a moment ago; without it the mistake only lacks its line.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let file = unusable.path().to_path_buf();
        Mistake::in_file(
            &text,
            &path.display().to_string(),
            &file,
            format!("{:#}", anyhow::Error::from(unusable)),
        )
    })
}
