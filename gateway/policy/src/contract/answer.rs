//! Checks a policy's answer and converts it into the core's types.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::bounds::TEXT_MAX;
use gateway_core::{
    Decision, Denial, DropRule, MaskRule, ParseHiddenFieldError, Pattern, Place, Plan,
};

use super::{authorization, redaction};
use crate::fault::{Fault, bounded};

/// The most annotations of a verdict.
const ANNOTATIONS_MAX: usize = 64;
/// The longest code of a denial, in bytes.
const CODE_MAX: usize = 64;

/// The decision of a policy, and its annotations.
///
/// # Errors
/// Why the answer is malformed.
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
            return Err("a denial's code is not in kebab-case");
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

/// Whether a policy may use `code`. Codes that begin with `policy-` are the gateway's own.
fn is_code(code: &str) -> bool {
    (1..=CODE_MAX).contains(&code.len())
        && !code.starts_with("policy-")
        && code.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// The plan as the core's type. Its rules are not checked yet.
///
/// # Errors
/// A hidden field that does not exist.
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
        hide: hide.map_err(|error| Fault::Plan(bounded(error)))?,
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
