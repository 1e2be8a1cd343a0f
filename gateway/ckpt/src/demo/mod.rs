//! `ckpt demo`: an embedded runtime with one pod, a gateway in front of it, and requests that show how it works.

mod archive;
mod check;
mod client;
mod credentials;
mod json;
mod settings;
mod show;
mod spans;
mod stage;
mod tree;
mod workload;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use gateway_core::Record;
use gateway_server::signals::stop_on;
use opentelemetry_sdk::trace::SpanData;
use tokio::signal::unix::SignalKind;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::output::{Format, print, print_exact};
use archive::Archive;
use check::Check;
use client::Answer;
use stage::Stage;

pub(crate) use workload::run as workload;

/// Arguments of `demo`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// End after the first requests instead of waiting for more.
    #[arg(long)]
    once: bool,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Starts a small container runtime with one pod, and a gateway in front of it, all in this process and in a private temporary \
folder. Sends an allowed and a denied request and one with a client certificate, and shows the answers, the redacted archive, \
the audit log and the trace. Then it waits for requests of your own; Ctrl-C ends it and removes the folder.

Examples:
  ckpt demo
  ckpt demo --once --output json | jq .checks

Exit status:
  0  everything is as it should be
  1  a check failed, or the demo cannot run
  2  wrong usage";

/// The results of the demo's requests.
struct Round {
    /// The answer to alice, who has a token and is allowed.
    alice: Answer,
    /// The answer to mallory, who has a token and is denied.
    mallory: Answer,
    /// The answer to the responder, who has a certificate.
    responder: Answer,
    /// The archive of alice's checkpoint.
    archive: Result<Archive>,
    audit: Result<Vec<Record>>,
    /// The spans of alice's request.
    trace: Vec<SpanData>,
    checkpoint_calls: usize,
    /// The state of the container's process, as `/proc/PID/stat` has it.
    process_state: Option<char>,
    took: Duration,
}

pub(crate) fn run(options: &Options) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start Tokio")?;
    runtime.block_on(demo(options))
}

async fn demo(options: &Options) -> Result<Exit> {
    // SIGHUP: a closed terminal must not leave keys and an archive behind.
    let stop = stop_on(&[
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
    ])
    .context("cannot listen for signals")?;
    let began = Instant::now();
    let interrupted = || anyhow!("stopped before the demo was over");
    let stage = stop
        .run_until_cancelled(Box::pin(Stage::start()))
        .await
        .ok_or_else(interrupted)??;
    let played = stop
        .run_until_cancelled(Box::pin(play(&stage, began, options)))
        .await;
    let result = match played {
        Some(Ok(exit)) if !options.once => {
            linger(&stage, options, &stop).await;
            Ok(exit)
        }
        Some(result) => result,
        None => Err(interrupted()),
    };
    let stopped = stage.stop().await;
    result.and_then(|exit| stopped.map(|()| exit))
}

async fn play(stage: &Stage, began: Instant, options: &Options) -> Result<Exit> {
    let round = round(stage, began).await?;
    let checks = check::all(&round);
    let passed = checks.iter().all(Check::passed);
    match options.output {
        Format::Text => show::round(stage, &round, &checks, options.once),
        Format::Json => print_exact(json::round(stage, &round, &checks)),
    }
    Ok(if passed { Exit::Success } else { Exit::Failure })
}

async fn round(stage: &Stage, began: Instant) -> Result<Round> {
    let path = format!("/checkpoint/{}", stage::TARGET);
    let alice = stage.client(&stage.credentials.alice)?.post(&path).await?;
    let mallory = stage
        .client(&stage.credentials.mallory)?
        .post(&path)
        .await?;
    let responder = stage
        .client(&stage.credentials.responder)?
        .get("/v1/whoami")
        .await?;
    let archive = archive::read(&alice, &stage.secret);
    let trace = stage.spans.trace(&alice).await;
    // Only alice's trace is shown, and later those of requests from outside.
    drop((
        stage.spans.trace(&mallory).await,
        stage.spans.trace(&responder).await,
    ));
    Ok(Round {
        archive,
        audit: stage.audit_log(),
        trace,
        checkpoint_calls: stage.node.checkpoint_calls(),
        process_state: stage.process_state(),
        alice,
        mallory,
        responder,
        took: began.elapsed(),
    })
}

/// Waits for requests from outside and shows their traces.
async fn linger(stage: &Stage, options: &Options, stop: &CancellationToken) {
    while let Some(trace) = stop.run_until_cancelled(stage.spans.next()).await {
        if options.output == Format::Text {
            print("");
            tree::print_tree(&trace, 0);
        }
    }
    if options.output == Format::Text {
        print(format_args!(
            "\nStopped; removing {}.",
            stage.folder().display()
        ));
    }
}
