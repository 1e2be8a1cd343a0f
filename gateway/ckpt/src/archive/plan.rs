//! Reads redaction plans.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use gateway_core::Plan;
use serde_json::Value;

/// The longest file with a plan, in bytes.
const MAX_PLAN: u64 = 16 << 20;

/// Reads a plan from a file: the plan itself, the output of `policy run`, or what a fixture expects.
pub(super) fn read(path: &Path) -> Result<Plan> {
    let text = gateway_files::read(path, MAX_PLAN)?;
    let value = serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is not JSON", path.display()))?;
    parse(value).with_context(|| format!("`{}` does not contain a plan", path.display()))
}

fn parse(mut value: Value) -> Result<Plan> {
    if let Some(answer) = value.get_mut("answer") {
        value = answer.take();
    }
    if let Some(fault) = value.get("fault").or_else(|| value.get("deny")) {
        bail!("the policy answered {fault}");
    }
    if let Some(plan) = value.get_mut("plan") {
        value = plan.take();
    }
    let plan: Plan = serde_json::from_value(value)?;
    // Otherwise a file of the wrong kind would count as a plan that hides nothing.
    ensure!(
        !plan.mask.is_empty() || !plan.drop.is_empty(),
        "it neither masks nor drops anything"
    );
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_a_plan_alone_or_in_an_answer() {
        let plan = json!({ "drop": [{ "name": "log", "entry": "container.log" }] });
        let expected: Plan = serde_json::from_value(plan.clone()).unwrap();
        for value in [
            plan.clone(),
            json!({ "plan": plan }),
            json!({ "answer": { "plan": plan }, "microseconds": 1 }),
        ] {
            assert_eq!(parse(value).unwrap(), expected);
        }
    }

    #[test]
    fn refuses_what_hides_nothing() {
        for value in [
            json!({ "answer": { "fault": "timeout", "detail": "" } }),
            json!({ "answer": { "decision": "allow" } }),
            json!({ "masks": [] }),
            json!([]),
            json!({}),
            json!({ "plan": { "mask": [], "drop": [], "hide": ["identity.claims"] } }),
            json!(null),
        ] {
            assert!(parse(value.clone()).is_err(), "{value}");
        }
    }
}
