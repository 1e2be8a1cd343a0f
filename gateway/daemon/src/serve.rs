//! `serve`: runs the gateway until a signal stops it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use gateway_server::config::{ConfigError, Environment};
use gateway_server::signals::stop_on;
use gateway_server::telemetry::{self, Telemetry};
use gateway_server::{Config, Ended, Gateway, Reload};
use opentelemetry_sdk::trace::BatchSpanProcessor;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tracing::info;

use crate::exit::Exit;

/// Arguments of `serve`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// The configuration (TOML). examples/config.toml in the sources explains every key.
    #[arg(long, env = "CHECKPOINT_GATEWAY_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// Refuse to start if a policy cannot be loaded, as with `policy-engine.strict = true`.
    #[arg(long)]
    strict: bool,
}

const AFTER: &str = "\
Serves until SIGTERM or SIGINT. Then running checkpoints may finish for `limits.drain-seconds`, while no new request is \
accepted. SIGHUP loads policies and the key of the audit log anew; so does a change of one of their files.

Examples:
  checkpoint-gateway serve --config /etc/checkpoint-gateway/config.toml
  CHECKPOINT_GATEWAY_LOG_LEVEL=debug checkpoint-gateway serve --config config.toml

Exit status:
  0  stopped by a signal
  1  the gateway cannot start
  2  wrong usage
  3  the configuration is wrong
  4  stopped while checkpoints were still running; a container may be frozen";

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let mut config = load(&options.config)?;
    config.policy_engine.strict |= options.strict;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start Tokio")?;
    runtime.block_on(serve(&config, &options.config))
}

async fn serve(config: &Config, file: &Path) -> anyhow::Result<Exit> {
    let telemetry = Telemetry::init(&config.telemetry, None::<BatchSpanProcessor>)?;
    let stop = stop_on(&[SignalKind::terminate(), SignalKind::interrupt()])
        .context("cannot listen for signals")?;
    let gateway = Gateway::start(config, &telemetry, Arc::new(telemetry::inject), stop)
        .await?
        .with_reload(reload(file)?, config);
    info!(
        address = %gateway.address()?,
        admin = %gateway.admin_address()?,
        checkpoints = %config.checkpoints.directory.display(),
        "serving"
    );
    let ended = gateway.run().await;
    telemetry.shutdown().await;
    Ok(match ended {
        Ended::Clean => Exit::Success,
        Ended::Aborted(_) => Exit::Aborted,
    })
}

fn load(file: &Path) -> Result<Config, ConfigError> {
    Config::load(file, &Environment::of_process())
}

/// Loads policies and the key of the audit log anew on SIGHUP and when one of their files changes.
fn reload(file: &Path) -> anyhow::Result<Reload> {
    let asked = Arc::<Notify>::default();
    let mut hangups = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    let ask = Arc::clone(&asked);
    tokio_util::task::TaskTracker::new().spawn(async move {
        while hangups.recv().await.is_some() {
            ask.notify_one();
        }
    });
    let again = file.to_path_buf();
    Ok(Reload {
        read: Box::new(move || load(&again)),
        file: file.to_path_buf(),
        asked,
    })
}
