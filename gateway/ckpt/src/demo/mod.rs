//! The demo: an embedded runtime with one pod, the gateway in front of it, and the requests that show what it does.

mod archive;
mod check;
mod client;
mod credentials;
mod settings;
mod show;
mod spans;
mod stage;
mod tell;
mod tree;
mod workload;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use gateway_core::Record;
use gateway_server::signals::stop_on;
use opentelemetry_sdk::trace::SpanData;
use tokio::signal::unix::SignalKind;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::output::print;
use crate::paint::Paint;
use archive::Archive;
use check::Check;
use client::Answer;
use stage::Stage;

pub(crate) use workload::run as workload;

/// Arguments of `demo`.
#[derive(Args)]
pub(crate) struct Options {
    /// End after the first round; fail unless all of it was as it should be.
    #[arg(long)]
    once: bool,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A walk through, for people.
    #[default]
    Text,
    /// One JSON object, for machines.
    Json,
}

/// What the demo's requests led to.
struct Round {
    /// Allowed, by a token.
    alice: Answer,
    /// Denied, with a token that is just as good.
    mallory: Answer,
    /// Known by a certificate.
    responder: Answer,
    /// What alice got.
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
    // A terminal that is closed hangs up: keys and an archive must not stay behind then, either.
    let stop = stop_on(&[
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
    ])
    .context("cannot listen for signals")?;
    let began = Instant::now();
    let interrupted = || anyhow!("stopped before the demo was over");
    let stage = stop
        .run_until_cancelled(Box::pin(Stage::set()))
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
    let cleared = stage.clear().await;
    result.and_then(|exit| cleared.map(|()| exit))
}

async fn play(stage: &Stage, began: Instant, options: &Options) -> Result<Exit> {
    let round = round(stage, began).await?;
    let checks = check::all(&round);
    let passed = checks.iter().all(Check::passed);
    match options.output {
        Output::Text => show::round(stage, &round, &checks, options.once),
        Output::Json => print(tell::round(stage, &round, &checks)),
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
    let archive = archive::look(&alice, &stage.secret);
    let trace = stage.spans.trace(&alice).await;
    // Shown are alice's, and later those of the person at the terminal.
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

/// Stays up for the person at the terminal, and shows the trace of each request that they make.
async fn linger(stage: &Stage, options: &Options, stop: &CancellationToken) {
    let paint = Paint::of_stdout();
    while let Some(trace) = stop.run_until_cancelled(stage.spans.next()).await {
        if options.output == Output::Text {
            print("");
            tree::lines(&trace, paint).into_iter().for_each(print);
        }
    }
    if options.output == Output::Text {
        print(format_args!(
            "\nStopped; {} is removed.",
            stage.folder().display()
        ));
    }
}
