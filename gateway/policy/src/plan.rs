//! Checks redaction plans, joins them, and summarizes them for records.

use gateway_core::bounds::{
    EXPRESSION_NESTING_MAX, EXPRESSION_SIZE_MAX, GLOB_STARS_MAX, NAME_MAX, PATTERN_MAX,
};
use gateway_core::{DETECTORS, Pattern, Plan, PlanRecord};

use crate::digest::sha256;
use crate::fault::{Fault, bounded};
use crate::run::Deadline;

/// The most rules of one plan.
const RULES_MAX: usize = 1024;

/// Checks that every expression of `plan` compiles within bounds and every name is known.
pub(crate) fn check(plan: &Plan, deadline: &Deadline) -> Result<(), Fault> {
    let invalid = |why: String| Err(Fault::Plan(bounded(why)));
    if plan
        .mask
        .len()
        .saturating_add(plan.drop.len())
        .saturating_add(plan.hide.len())
        > RULES_MAX
    {
        return invalid(format!("more than {RULES_MAX} rules"));
    }
    for rule in &plan.mask {
        if !is_name(&rule.name) {
            return invalid("a rule has no valid name".to_owned());
        }
        if rule.places.is_empty() {
            return invalid(format!("rule `{}` has no places", rule.name));
        }
        if let Err(why) = check_pattern(&rule.pattern) {
            return invalid(format!("rule `{}`: {why}", rule.name));
        }
        // A thousand expressions within their bounds take seconds to compile.
        deadline.check()?;
    }
    if let Some(rule) = plan
        .drop
        .iter()
        .find(|rule| !is_name(&rule.name) || !is_name(&rule.entry))
    {
        return invalid(format!("rule `{}` has no valid entry to drop", rule.name));
    }
    if let Some(field) = plan.hide.iter().find(|field| !field.may_be_planned()) {
        return invalid(format!(
            "`{field}` is not a field of a request that a plan can hide"
        ));
    }
    Ok(())
}

fn check_pattern(pattern: &Pattern) -> Result<(), String> {
    match pattern {
        Pattern::Literal(bytes) if (1..=PATTERN_MAX).contains(&bytes.len()) => Ok(()),
        Pattern::Literal(_) => Err(format!("a literal must be 1 to {PATTERN_MAX} bytes long")),
        Pattern::Regex(regex) if regex.len() > PATTERN_MAX => {
            Err(format!("the expression is longer than {PATTERN_MAX} bytes"))
        }
        Pattern::Regex(regex) => compile(regex),
        Pattern::EnvValue(glob) if !is_name(glob) || glob.matches('*').count() > GLOB_STARS_MAX => {
            Err(format!(
                "a glob must be one line of up to {NAME_MAX} bytes with up to {GLOB_STARS_MAX} stars"
            ))
        }
        Pattern::EnvValue(_) => Ok(()),
        Pattern::Detector(name) if DETECTORS.contains(&name.as_str()) => Ok(()),
        Pattern::Detector(name) => Err(format!(
            "unknown detector `{name}`; known detectors: {}",
            DETECTORS.join(", ")
        )),
    }
}

fn compile(regex: &str) -> Result<(), String> {
    let built = regex::bytes::RegexBuilder::new(regex)
        .size_limit(EXPRESSION_SIZE_MAX)
        .nest_limit(EXPRESSION_NESTING_MAX)
        .build();
    let built = built.map_err(|error| error.to_string())?;
    // Such an expression would mask everything or nothing.
    if built.is_match(b"") {
        Err("the expression matches the empty text".to_owned())
    } else {
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// The summary of `plan` for records.
pub fn record(plan: &Plan) -> PlanRecord {
    if plan.is_empty() {
        return PlanRecord::default();
    }
    PlanRecord {
        // Serializing a plan cannot fail: it has no map with keys other than text.
        sha256: sha256(&serde_json::to_vec(plan).unwrap_or_default()),
        mask: plan.mask.iter().map(|rule| rule.name.clone()).collect(),
        drop: plan.drop.iter().map(|rule| rule.entry.clone()).collect(),
        hide: plan.hide.clone(),
    }
}

/// One plan with the rules of all `plans`.
pub(crate) fn joined(plans: impl IntoIterator<Item = Plan>) -> Plan {
    plans.into_iter().fold(Plan::default(), |mut all, plan| {
        all.mask.extend(plan.mask);
        all.drop.extend(plan.drop);
        all.hide.extend(plan.hide);
        all
    })
}
