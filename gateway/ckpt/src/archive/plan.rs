use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use gateway_core::Plan;
use serde_json::Value;

/// Reads a plan: itself, or what holds one: the answer of `policy run`, or an expectation of a fixture.
pub(super) fn read(path: &Path) -> Result<Plan> {
    let text = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let value = serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is no JSON", path.display()))?;
    of(value).with_context(|| format!("`{}` holds no plan", path.display()))
}

fn of(mut value: Value) -> Result<Plan> {
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
    // Else a file of the wrong kind would pass for redacted.
    ensure!(
        !plan.mask.is_empty() || !plan.drop.is_empty(),
        "it hides nothing in an archive"
    );
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plan_is_taken_by_itself_or_out_of_a_policys_answer() {
        let plan = json!({ "drop": [{ "name": "log", "entry": "container.log" }] });
        let expected: Plan = serde_json::from_value(plan.clone()).unwrap();
        for told in [
            plan.clone(),
            json!({ "plan": plan }),
            json!({ "answer": { "plan": plan }, "microseconds": 1 }),
        ] {
            assert_eq!(of(told).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_plan_hides_nothing_and_is_refused() {
        for told in [
            json!({ "answer": { "fault": "timeout", "detail": "" } }),
            json!({ "answer": { "decision": "allow" } }),
            json!({ "masks": [] }),
            json!([]),
            json!({}),
            json!({ "plan": { "mask": [], "drop": [], "hide": ["identity.claims"] } }),
            json!(null),
        ] {
            assert!(of(told.clone()).is_err(), "{told}");
        }
    }
}
