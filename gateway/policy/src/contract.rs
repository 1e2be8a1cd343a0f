//! The contract of `wit/v0.1.0` as Rust: what wasmtime makes of it, and how our own words become its words.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::{
    Action, Archive, Container, CredentialKind, Decision, Denial, DropRule, Identity, MaskRule,
    ParseHiddenFieldError, Pattern, Place, Plan, Request,
};

use crate::Fault;
use crate::fault::told;

/// Components that decide.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated from wit/, where the meaning is told"
)]
pub(crate) mod authorizer {
    wasmtime::component::bindgen!({ path: "../../wit/v0.1.0", world: "authorizer" });
}

/// Components that plan.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated from wit/, where the meaning is told"
)]
pub(crate) mod redactor {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1.0",
        world: "redactor",
        with: {
            "checkpoint-gateway:policy/types": crate::contract::authorizer::checkpoint_gateway::policy::types,
            "checkpoint-gateway:policy/logging": crate::contract::authorizer::checkpoint_gateway::policy::logging,
        },
    });
}

pub(crate) use authorizer::checkpoint_gateway::policy::{logging, types};
pub(crate) use authorizer::exports::checkpoint_gateway::policy::authorization;
pub(crate) use redactor::exports::checkpoint_gateway::policy::redaction;

/// The package that every import of a policy must be of.
pub(crate) const PACKAGE: &str = "checkpoint-gateway:policy/";
/// The version of the contract that this program speaks.
pub(crate) const VERSION: &str = "0.1.0";

/// The most annotations that a verdict may carry, and the longest text in one.
const ANNOTATIONS_MAX: usize = 64;
const TEXT_MAX: usize = 1024;

/// The request as a policy sees it.
pub(crate) fn request(request: &Request) -> types::Request {
    types::Request {
        id: request.id.to_string(),
        action: action(request.action),
        identity: identity(&request.identity),
        target: container(&request.target),
        archive: request.archive.as_ref().map(archive),
        latest: request.latest.as_ref().map(archive),
        reason: request.reason.clone(),
        timeout_seconds: request.timeout_seconds,
        source_address: request.source_address.to_string(),
        received_at: millis(request.received_at.as_millisecond()),
        headers: pairs(&request.headers),
    }
}

fn action(action: Action) -> types::Action {
    match action {
        Action::Create => types::Action::Create,
        Action::List => types::Action::List,
        Action::Inspect => types::Action::Inspect,
        Action::Download => types::Action::Download,
        Action::DownloadOriginal => types::Action::DownloadOriginal,
        Action::Hold => types::Action::Hold,
        Action::Delete => types::Action::Delete,
    }
}

fn identity(identity: &Identity) -> types::Identity {
    types::Identity {
        user: identity.user.clone(),
        groups: identity.groups.clone(),
        credential: match identity.credential {
            CredentialKind::BearerToken => types::Credential::BearerToken,
            CredentialKind::ClientCertificate => types::Credential::ClientCertificate,
        },
        issuer: identity.issuer.clone(),
        claims: serde_json::Value::Object(identity.claims.clone()).to_string(),
    }
}

fn container(container: &Container) -> types::Container {
    types::Container {
        namespace: container.target.namespace().to_owned(),
        pod: container.target.pod().to_owned(),
        name: container.target.container().to_owned(),
        id: container.id.clone(),
        pod_uid: container.pod_uid.clone(),
        image: container.image.clone(),
        labels: pairs(&container.labels),
        annotations: pairs(&container.annotations),
        pod_labels: pairs(&container.pod_labels),
        pod_annotations: pairs(&container.pod_annotations),
    }
}

fn archive(archive: &Archive) -> types::Archive {
    types::Archive {
        id: archive.id.to_string(),
        created_by: archive.created_by.clone(),
        created_at: millis(archive.created_at.as_millisecond()),
        bytes: archive.bytes,
    }
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The contract has no times before 1970.
fn millis(since_epoch: i64) -> u64 {
    u64::try_from(since_epoch).unwrap_or_default()
}

/// What a policy decided, and its annotations; `Err` says what is wrong with the answer.
pub(crate) fn verdict(
    verdict: authorization::Verdict,
) -> Result<(Decision, BTreeMap<String, String>), &'static str> {
    if verdict.annotations.len() > ANNOTATIONS_MAX {
        return Err("more than 64 annotations");
    }
    if !verdict
        .annotations
        .iter()
        .all(|(name, value)| is_text(name) && is_text(value))
    {
        return Err("an annotation is longer than 1024 bytes or has control characters");
    }
    let decision = match verdict.decision {
        authorization::Decision::Allow => Decision::Allow,
        authorization::Decision::Abstain => Decision::Abstain,
        authorization::Decision::Deny(denial) if !is_code(&denial.code) => {
            return Err("a denial's code is no kebab-case");
        }
        authorization::Decision::Deny(denial) if !is_text(&denial.message) => {
            return Err("a denial's message is longer than 1024 bytes or has control characters");
        }
        authorization::Decision::Deny(denial) => Decision::Deny(Denial {
            code: denial.code,
            message: denial.message,
        }),
    };
    Ok((decision, verdict.annotations.into_iter().collect()))
}

fn is_text(text: &str) -> bool {
    text.len() <= TEXT_MAX && !text.chars().any(char::is_control)
}

/// A code of the gateway's own faults is not a policy's to give.
fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && !code.starts_with("policy-")
        && code.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// The plan as the core's type. Its rules are not checked yet; a field that cannot be hidden is a fault already.
pub(crate) fn plan(plan: redaction::Plan) -> Result<Plan, Fault> {
    let hide = plan.hide.iter().map(|field| field.parse());
    let hide = hide.collect::<Result<_, ParseHiddenFieldError>>();
    Ok(Plan {
        mask: plan.mask.into_iter().map(mask).collect(),
        drop: plan
            .drop
            .into_iter()
            .map(|rule| DropRule {
                name: rule.name,
                entry: rule.entry,
            })
            .collect(),
        hide: hide.map_err(|error| Fault::Plan(told(error)))?,
    })
}

fn mask(rule: redaction::MaskRule) -> MaskRule {
    let pattern = match rule.pattern {
        redaction::Pattern::Literal(bytes) => Pattern::Literal(bytes),
        redaction::Pattern::Regex(regex) => Pattern::Regex(regex),
        redaction::Pattern::EnvValue(glob) => Pattern::EnvValue(glob),
        redaction::Pattern::Detector(name) => Pattern::Detector(name),
    };
    let flags = [
        (redaction::Places::SPEC, Place::Spec),
        (redaction::Places::MEMORY, Place::Memory),
        (redaction::Places::LOGS, Place::Logs),
        (redaction::Places::FILES, Place::Files),
    ];
    let places: BTreeSet<_> = flags
        .into_iter()
        .filter(|(flag, _)| rule.places.contains(*flag))
        .map(|(_, place)| place)
        .collect();
    MaskRule {
        name: rule.name,
        pattern,
        places,
    }
}
