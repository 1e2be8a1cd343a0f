use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use gateway_core::{Decision, Denial, Request};
use gateway_policy::{Engine, Fault, Kind, Mode, Policy, Spec, Usage, Wasi};
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::output::print;

/// The request that fixtures and files are laid over: they say only what matters.
const DEFAULT: &str = include_str!("../../../../policies/sdk/default-request.json");
/// The memory that a policy gets here: what the gateway gives by default.
const MEMORY: usize = 64 << 20;

/// Arguments of `policy run`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The component.
    file: PathBuf,
    /// A request as JSON; what it leaves out is taken from a harmless default.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The settings as JSON.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Give it a WASI with nothing behind it, as `wasi = "empty"` in the configuration does.
    #[arg(long)]
    wasi: bool,
}

const AFTER: &str = "\
Prints the answer as JSON. Exit status: 0 where it allows, abstains or plans; 1 where it denies or fails.";

/// What a policy answered, authorizer or redactor.
pub(super) struct Asked {
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
    let asked = ask(&policy, &request_of(&Value::Object(request))?);
    let denies = asked
        .answer
        .as_ref()
        .map_or(true, |answer| answer.get("deny").is_some());
    print(format_args!(
        "{:#}",
        json!({
            "answer": asked.answer.unwrap_or_else(|fault| json!({ "fault": fault.code(), "detail": fault.to_string() })),
            "microseconds": u64::try_from(asked.usage.time.as_micros()).unwrap_or(u64::MAX),
            "memory-bytes": asked.usage.memory,
        })
    ));
    Ok(if denies { Exit::Failure } else { Exit::Success })
}

/// An engine as the gateway's own.
pub(super) fn engine() -> Result<Engine> {
    Engine::new(2, MEMORY).map_err(|error| anyhow!("cannot make room for policies: {error:#}"))
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
        // What counts here is what is answered; `policy bench` tells how fast.
        limits: gateway_policy::Limits {
            deadline_milliseconds: 5000,
            ..Default::default()
        },
        wasi: if wasi { Wasi::Empty } else { Wasi::None },
    };
    Policy::load(engine, &spec, None)
}

/// The policy's answer as fixtures write it: `{"decision": "allow"}`, `{"deny": CODE}` or `{"plan": PLAN}`.
pub(super) fn ask(policy: &Policy, request: &Request) -> Asked {
    let (answer, usage) = match policy.kind() {
        Kind::Authorizer => {
            let (answer, usage) = policy.authorize(request);
            (
                answer.map(|(decision, annotations)| told(decision, &annotations)),
                usage,
            )
        }
        Kind::Redactor => {
            let (plan, usage) = policy.redact(request);
            (plan.map(|plan| json!({ "plan": plan })), usage)
        }
    };
    Asked { answer, usage }
}

fn told(decision: Decision, annotations: &std::collections::BTreeMap<String, String>) -> Value {
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

/// `partial` laid over the default request.
pub(super) fn request_of(partial: &Value) -> Result<Request> {
    let mut request: Value = serde_json::from_str(DEFAULT).context("the default request")?;
    overlay(&mut request, partial);
    serde_json::from_value(request).context("this is no request")
}

/// Objects are merged, everything else is replaced.
fn overlay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                overlay(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => under.clone_from(over),
    }
}

pub(super) fn object(path: &Path) -> Result<Map<String, Value>> {
    let text = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("`{}` is no JSON object", path.display()))
}
