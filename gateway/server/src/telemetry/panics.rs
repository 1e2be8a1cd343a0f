//! Reports panics by their place in the code and never by their message, which may hold a part of a checkpoint.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Display;
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::thread;

use tracing::error;

/// From now on, a panic of this process is reported with its place and thread, and without its message: in the log once
/// logging is set up, else on standard error.
pub fn hide_panic_messages() {
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &PanicHookInfo<'_>) {
    let location = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let backtrace = Backtrace::capture();
    let backtrace: Option<&dyn Display> =
        (backtrace.status() == BacktraceStatus::Captured).then_some(&backtrace);
    if tracing::dispatcher::has_been_set() {
        error!(
            location,
            thread,
            backtrace = backtrace.map(tracing::field::display),
            "panicked; please report it"
        );
        return;
    }
    // Errors are ignored: a panic in here would end the process.
    let mut out = std::io::stderr().lock();
    let _ = writeln!(
        out,
        "error: panicked at {location}, thread {thread}; please report it"
    );
    if let Some(backtrace) = backtrace {
        let _ = writeln!(out, "{backtrace}");
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use opentelemetry_sdk::trace::BatchSpanProcessor;
    use tokio_util::task::TaskTracker;
    use tracing::Instrument as _;

    use super::super::Telemetry;
    use super::*;
    use crate::config;

    const SECRET: &str = "hunter2-of-the-panic";
    /// Names what the panicking process sets up.
    const WITH: &str = "GATEWAY_PANICS_WITH";

    #[test]
    #[ignore = "the process that the next tests start"]
    fn panics() {
        let Ok(with) = std::env::var(WITH) else {
            return;
        };
        hide_panic_messages();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let format = config::LogFormat::Json;
            let settings = config::Telemetry {
                log_format: format,
                log_level: config::LogLevel::Trace,
                ..Default::default()
            };
            let telemetry = (with == "log")
                .then(|| Telemetry::init(&settings, None::<BatchSpanProcessor>).unwrap());
            let span = tracing::info_span!("request", request_id = "r-1");
            let task = TaskTracker::new().spawn(async { panic!("{SECRET}") }.instrument(span));
            assert!(
                task.await.is_err_and(|error| error.is_panic()),
                "it ends the task and no more"
            );
            assert!(
                thread::spawn(|| SECRET.parse::<u32>().expect(SECRET))
                    .join()
                    .is_err()
            );
            drop(telemetry);
        });
    }

    fn told(with: &str, backtrace: &str) -> String {
        let Output {
            stdout,
            stderr,
            status,
        } = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "telemetry::panics::tests::panics",
                "--ignored",
                "--nocapture",
            ])
            .env(WITH, with)
            .env("RUST_BACKTRACE", backtrace)
            .output()
            .unwrap();
        let all = String::from_utf8([stdout, stderr.clone()].concat()).unwrap();
        assert!(status.success() && all.contains("1 passed"), "{all}");
        assert!(!all.contains(SECRET), "{all}");
        String::from_utf8(stderr).unwrap()
    }

    #[test]
    fn logs_a_panic_with_request_and_place_without_message() {
        for backtrace in ["0", "1"] {
            let told = told("log", backtrace);
            let lines: Vec<serde_json::Value> = told
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            let [of_task, of_thread] = &*lines else {
                panic!("{told}")
            };
            for line in [of_task, of_thread] {
                assert_eq!(line["level"], "ERROR");
                assert!(
                    line["location"].as_str().unwrap().contains("panics.rs:"),
                    "{line}"
                );
                assert_eq!(line.get("backtrace").is_some(), backtrace == "1", "{line}");
            }
            assert_eq!(of_task["spans"][0]["request_id"], "r-1");
        }
    }

    #[test]
    fn reports_a_panic_without_a_log_by_its_place_only() {
        let told = told("nothing", "0");
        assert_eq!(told.matches("error: panicked at ").count(), 2, "{told}");
    }
}
