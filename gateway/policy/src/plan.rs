use gateway_core::{DETECTORS, Pattern, Plan, PlanRecord};

use crate::Fault;
use crate::run::Deadline;

/// The most rules of one redactor's plan.
const RULES_MAX: usize = 1024;
/// The longest name, glob, entry or field, and the longest expression, in bytes.
const NAME_MAX: usize = 256;
const REGEX_MAX: usize = 4096;
/// The largest compiled expression, in bytes.
const REGEX_SIZE: usize = 1 << 20;
/// The most stars of a glob: each costs a backtrack.
const STARS_MAX: usize = 8;

/// Whether `plan` can be carried out at all: every expression compiles within bounds, every name is known.
pub(crate) fn check(plan: &Plan, deadline: &Deadline) -> Result<(), Fault> {
    let wrong = |what: String| Err(Fault::Plan(crate::fault::told(what)));
    if plan
        .mask
        .len()
        .saturating_add(plan.drop.len())
        .saturating_add(plan.hide.len())
        > RULES_MAX
    {
        return wrong(format!("more than {RULES_MAX} rules"));
    }
    for rule in &plan.mask {
        if !is_name(&rule.name) {
            return wrong("a rule without a proper name".to_owned());
        }
        if rule.places.is_empty() {
            return wrong(format!("rule `{}` looks nowhere", rule.name));
        }
        if let Err(why) = check_pattern(&rule.pattern) {
            return wrong(format!("rule `{}`: {why}", rule.name));
        }
        // A thousand expressions, each within its bounds, compile for seconds.
        deadline.check()?;
    }
    if let Some(rule) = plan
        .drop
        .iter()
        .find(|rule| !is_name(&rule.name) || !is_name(&rule.entry))
    {
        return wrong(format!("rule `{}` drops no proper entry", rule.name));
    }
    if let Some(field) = plan.hide.iter().find(|field| !field.may_be_planned()) {
        return wrong(format!(
            "`{field}` is not a field of a request that a plan can hide"
        ));
    }
    Ok(())
}

fn check_pattern(pattern: &Pattern) -> Result<(), String> {
    match pattern {
        Pattern::Literal(bytes) if (1..=REGEX_MAX).contains(&bytes.len()) => Ok(()),
        Pattern::Literal(_) => Err(format!("a literal must be 1 to {REGEX_MAX} bytes long")),
        Pattern::Regex(regex) if regex.len() > REGEX_MAX => {
            Err(format!("longer than {REGEX_MAX} bytes"))
        }
        Pattern::Regex(regex) => compile(regex),
        Pattern::EnvValue(glob) if !is_name(glob) || glob.matches('*').count() > STARS_MAX => {
            Err(format!(
                "a glob must be one line of up to {NAME_MAX} bytes with up to {STARS_MAX} stars"
            ))
        }
        Pattern::EnvValue(_) => Ok(()),
        Pattern::Detector(name) if DETECTORS.contains(&name.as_str()) => Ok(()),
        Pattern::Detector(name) => Err(format!(
            "there is no detector `{name}`; there are {}",
            DETECTORS.join(", ")
        )),
    }
}

fn compile(regex: &str) -> Result<(), String> {
    let built = regex::bytes::RegexBuilder::new(regex)
        .size_limit(REGEX_SIZE)
        .nest_limit(64)
        .build();
    let built = built.map_err(|error| error.to_string())?;
    // Such an expression would mask everything, or nothing.
    if built.is_match(b"") {
        Err("the expression matches the empty text".to_owned())
    } else {
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// `plan` as records tell it.
pub fn record(plan: &Plan) -> PlanRecord {
    if plan.is_empty() {
        return PlanRecord::default();
    }
    PlanRecord {
        // A plan is always JSON: it has no map with keys that are no text.
        sha256: crate::module::sha256(&serde_json::to_vec(plan).unwrap_or_default()),
        mask: plan.mask.iter().map(|rule| rule.name.clone()).collect(),
        drop: plan.drop.iter().map(|rule| rule.entry.clone()).collect(),
        hide: plan.hide.clone(),
    }
}

/// All of `plans` at once.
pub(crate) fn joined(plans: impl IntoIterator<Item = Plan>) -> Plan {
    plans.into_iter().fold(Plan::default(), |mut all, plan| {
        all.mask.extend(plan.mask);
        all.drop.extend(plan.drop);
        all.hide.extend(plan.hide);
        all
    })
}
