//! `ckpt policy test`: runs fixtures against components.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use gateway_core::Plan;
use gateway_policy::{Engine, Fault};
use serde_json::{Map, Value};

use super::ask::{call, engine, load, object, request_of};
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `policy test`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// Folders of policies, each with NAME.wasm and fixtures/, or a folder that contains such folders.
    #[arg(default_value = ".")]
    folders: Vec<PathBuf>,
    /// Also write the results as `JUnit` XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Grant an empty WASI, like `wasi = "empty"` in the configuration.
    #[arg(long)]
    wasi: bool,
}

const AFTER: &str = "\
A fixture is a JSON file:
  { \"about\": \"a sentence\", \"settings\": {}, \"request\": {}, \"expect\": { \"decision\": \"allow\" } }
Fields missing in `request` come from a default request. `expect` is one of
  { \"decision\": \"allow\" | \"abstain\" }   { \"deny\": CODE }   { \"plan\": PLAN }   { \"settings-refused\": WORDS }

Examples:
  ckpt policy test no-fridays
  ckpt policy test policies --junit report.xml

Exit status:
  0  every fixture holds
  1  a fixture does not hold, or a file cannot be read
  2  wrong usage";

/// The outcome of one fixture.
struct Outcome {
    policy: String,
    about: String,
    failure: Option<String>,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let engine = engine()?;
    let mut outcomes = Vec::new();
    for folder in options.folders.iter().flat_map(|folder| policies(folder)) {
        outcomes.extend(of_policy(&engine, &folder, options.wasi)?);
    }
    ensure!(
        !outcomes.is_empty(),
        "no fixtures found: a policy's folder has fixtures/*.json"
    );
    for Outcome {
        policy,
        about,
        failure,
    } in &outcomes
    {
        match failure {
            None => print(format_args!("ok   {policy}: {about}")),
            Some(failure) => print(format_args!("FAIL {policy}: {about}: {failure}")),
        }
    }
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.failure.is_some())
        .count();
    print(format_args!(
        "{} passed, {failed} failed",
        outcomes.len().saturating_sub(failed)
    ));
    if let Some(path) = &options.junit {
        std::fs::write(path, junit(&outcomes))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(if failed == 0 {
        Exit::Success
    } else {
        Exit::Failure
    })
}

/// `folder` if it has fixtures, or else the folders in it that have fixtures.
fn policies(folder: &Path) -> BTreeSet<PathBuf> {
    let has_fixtures = |folder: &PathBuf| folder.join("fixtures").is_dir();
    let folder = folder.to_path_buf();
    if has_fixtures(&folder) {
        return BTreeSet::from([folder]);
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(has_fixtures)
        .collect()
}

fn of_policy(engine: &Engine, folder: &Path, wasi: bool) -> Result<Vec<Outcome>> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("cannot read `{}`", folder.display()))?;
    let policy = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let component = folder.join(format!("{policy}.wasm"));
    let entries = std::fs::read_dir(folder.join("fixtures"))?
        .flatten()
        .map(|entry| entry.path());
    let fixtures: BTreeSet<_> = entries
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    let outcome = |path: PathBuf| {
        let fixture = object(&path)?;
        let about = fixture
            .get("about")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let about = about.unwrap_or_else(|| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        });
        Ok(Outcome {
            policy: policy.clone(),
            about,
            failure: check(engine, &component, &fixture, wasi)?,
        })
    };
    fixtures.into_iter().map(outcome).collect()
}

/// The failure of a fixture, if it fails.
fn check(
    engine: &Engine,
    component: &Path,
    fixture: &Map<String, Value>,
    wasi: bool,
) -> Result<Option<String>> {
    let part = |name: &str| {
        fixture
            .get(name)
            .cloned()
            .unwrap_or_else(|| Value::Object(Map::new()))
    };
    let expected = part("expect");
    let settings = part("settings").as_object().cloned().unwrap_or_default();
    let policy = match (
        load(engine, component, settings, wasi),
        expected.get("settings-refused"),
    ) {
        (Ok(policy), None) => policy,
        (Ok(_), Some(_)) => return Ok(Some("the settings were accepted".to_owned())),
        (Err(Fault::Settings(refusal)), Some(Value::String(expected)))
            if refusal.contains(expected.as_str()) =>
        {
            return Ok(None);
        }
        (Err(fault), _) => return Ok(Some(fault.to_string())),
    };
    let answer = call(&policy, &request_of(&part("request"))?).answer;
    Ok(match answer {
        Ok(answer) if matches(&expected, &answer) => None,
        Ok(answer) => Some(format!("expected {expected}, got {answer}")),
        Err(fault) => Some(format!(
            "expected {expected}, but the policy failed: {fault}"
        )),
    })
}

/// Whether the answer contains everything in `expected`; other parts are ignored.
fn matches(expected: &Value, answer: &Value) -> bool {
    let matches = |(name, part): (&String, &Value)| {
        let got = answer.get(name);
        match name.as_str() {
            // Absent lists of an expected plan are empty.
            "plan" => plan(part).is_some_and(|expected| got.and_then(plan) == Some(expected)),
            _ => got == Some(part),
        }
    };
    expected
        .as_object()
        .is_some_and(|parts| !parts.is_empty() && parts.iter().all(matches))
}

fn plan(value: &Value) -> Option<Plan> {
    serde_json::from_value(value.clone()).ok()
}

fn junit(outcomes: &[Outcome]) -> String {
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.failure.is_some())
        .count();
    let mut xml = format!(
        "<testsuite name=\"policies\" tests=\"{}\" failures=\"{failed}\">\n",
        outcomes.len()
    );
    for Outcome {
        policy,
        about,
        failure,
    } in outcomes
    {
        let (policy, about) = (escaped(policy), escaped(about));
        // Writing to a string does not fail.
        let _ = match failure {
            None => writeln!(xml, "  <testcase classname=\"{policy}\" name=\"{about}\"/>"),
            Some(why) => writeln!(
                xml,
                "  <testcase classname=\"{policy}\" name=\"{about}\"><failure message=\"{}\"/></testcase>",
                escaped(why)
            ),
        };
    }
    xml + "</testsuite>\n"
}

fn escaped(text: &str) -> String {
    let text = gateway_core::one_line(text, 4096);
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
