//! `ckpt policy run`: calls a policy with one request.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use gateway_core::{Decision, Denial, Request};
use gateway_policy::{Engine, Fault, Kind, Mode, Policy, Spec, Usage, Wasi};
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::output::print;

/// The request to which fixtures and files are applied.
const DEFAULT: &str = include_str!("../../../../policies/sdk/default-request.json");
/// The memory of a policy, in bytes: the gateway's default.
const MEMORY: usize = 64 << 20;

/// Arguments of `policy run`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The component.
    file: PathBuf,
    /// A request as JSON, which is applied to a default request.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The settings as JSON.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Grant an empty WASI, like `wasi = "empty"` in the configuration.
    #[arg(long)]
    wasi: bool,
}

const AFTER: &str = "\
Prints the answer, the time and the memory that it took as JSON. Fields missing in the request come from a default request.

Examples:
  ckpt policy run no-fridays.wasm --request request.json
  ckpt policy run redact-secrets.wasm --settings settings.json > plan.json

Exit status:
  0  the policy allows, abstains or returns a plan
  1  the policy denies or fails, or a file cannot be read
  2  wrong usage";

/// The answer of a policy, and its resource usage.
pub(super) struct Outcome {
    pub(super) answer: Result<Value, Fault>,
    pub(super) usage: Usage,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let settings = options
        .settings
        .as_deref()
        .map(object)
        .transpose()?
        .unwrap_or_default();
    let request = options
        .request
        .as_deref()
        .map(object)
        .transpose()?
        .unwrap_or_default();
    let policy = load(&engine()?, &options.file, settings, options.wasi)?;
    let outcome = call(&policy, &request_of(&Value::Object(request))?);
    let denies = outcome
        .answer
        .as_ref()
        .map_or(true, |answer| answer.get("deny").is_some());
    print(format_args!(
        "{:#}",
        json!({
            "answer": outcome.answer.unwrap_or_else(|fault| json!({ "fault": fault.code(), "detail": fault.to_string() })),
            "microseconds": u64::try_from(outcome.usage.time.as_micros()).unwrap_or(u64::MAX),
            "memory-bytes": outcome.usage.memory,
        })
    ));
    Ok(if denies { Exit::Failure } else { Exit::Success })
}

/// An engine with the gateway's limits.
pub(super) fn engine() -> Result<Engine> {
    Engine::new(2, MEMORY).map_err(|error| anyhow!("cannot start the policy engine: {error:#}"))
}

pub(super) fn load(
    engine: &Engine,
    file: &Path,
    settings: Map<String, Value>,
    wasi: bool,
) -> Result<Policy, Fault> {
    let spec = Spec {
        name: "policy".to_owned(),
        file: file.to_path_buf(),
        sha256: None,
        settings,
        actions: Vec::new(),
        namespaces: Vec::new(),
        pod_labels: std::collections::BTreeMap::new(),
        mode: Mode::Enforce,
        opaque: None,
        // Only the answer matters here; `policy bench` measures the time.
        limits: gateway_policy::Limits {
            deadline_milliseconds: 5000,
            ..Default::default()
        },
        wasi: if wasi { Wasi::Empty } else { Wasi::None },
    };
    Policy::load(engine, &spec, None)
}

/// Calls the policy. The answer has the form of fixtures: `{"decision": "allow"}`, `{"deny": CODE}` or `{"plan": PLAN}`.
pub(super) fn call(policy: &Policy, request: &Request) -> Outcome {
    let (answer, usage) = match policy.kind() {
        Kind::Authorizer => {
            let (answer, usage) = policy.authorize(request);
            (
                answer.map(|(decision, annotations)| verdict(decision, &annotations)),
                usage,
            )
        }
        Kind::Redactor => {
            let (plan, usage) = policy.redact(request);
            (plan.map(|plan| json!({ "plan": plan })), usage)
        }
    };
    Outcome { answer, usage }
}

fn verdict(decision: Decision, annotations: &std::collections::BTreeMap<String, String>) -> Value {
    let mut answer = match decision {
        Decision::Allow => json!({ "decision": "allow" }),
        Decision::Abstain => json!({ "decision": "abstain" }),
        Decision::Deny(Denial { code, message }) => json!({ "deny": code, "message": message }),
    };
    if let Some(answer) = answer.as_object_mut().filter(|_| !annotations.is_empty()) {
        answer.insert("annotations".to_owned(), json!(annotations));
    }
    answer
}

/// The default request with `partial` applied to it.
pub(super) fn request_of(partial: &Value) -> Result<Request> {
    let mut request: Value = serde_json::from_str(DEFAULT).context("the default request")?;
    merge(&mut request, partial);
    serde_json::from_value(request).context("the request is not valid")
}

/// Merges objects and replaces other values.
fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, patch) => target.clone_from(patch),
    }
}

pub(super) fn object(path: &Path) -> Result<Map<String, Value>> {
    let text = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is not a JSON object", path.display()))
}
