//! Allows requests that a rule grants to the caller or to one of their groups.

mod selector;

use checkpoint_gateway_policy::glob;
use checkpoint_gateway_policy::prelude::*;

use selector::Selector;

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    rules: Vec<Rule>,
    #[serde(default)]
    otherwise: Otherwise,
}

/// A grant of actions to users and groups.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Rule {
    name: String,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    actions: Vec<Action>,
    namespaces: Vec<String>,
    #[serde(default)]
    pods: Selector,
}

/// The answer if no rule grants the request.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum Otherwise {
    #[default]
    Deny,
    Abstain,
}

/// The policy.
pub struct GroupRbac(Settings);

impl Authorizer for GroupRbac {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        settings.rules.iter().try_for_each(Rule::check)?;
        Ok(Self(settings))
    }

    fn authorize(&self, request: &Request) -> Verdict {
        let Self(settings) = self;
        if let Some(rule) = settings.rules.iter().find(|rule| rule.grants(request)) {
            return Verdict::allow().annotated("rule", rule.name.as_str());
        }
        match settings.otherwise {
            Otherwise::Abstain => Verdict::abstain(),
            Otherwise::Deny => Verdict::deny("no-rule-grants-it", refusal(request)),
        }
    }
}

export_authorizer!(GroupRbac);

impl Rule {
    /// Refuses a rule that can never grant anything.
    fn check(&self) -> Result<(), String> {
        let Self { name, .. } = self;
        let missing = if name.is_empty() {
            return Err("a rule has an empty `name`".into());
        } else if self.users.is_empty() && self.groups.is_empty() {
            "neither users nor groups"
        } else if self.actions.is_empty() {
            "no actions"
        } else if self.namespaces.is_empty() {
            "no namespaces: `*` stands for all of them"
        } else {
            return Ok(());
        };
        Err(format!("the rule `{name}` names {missing}"))
    }

    fn grants(&self, request: &Request) -> bool {
        let identity = &request.identity;
        (self.users.contains(&identity.user) || identity.is_in_any(&self.groups))
            && self.actions.contains(&request.action)
            && glob::matches_any(&self.namespaces, &request.target.namespace)
            && self.pods.matches(&request.target)
    }
}

fn refusal(request: &Request) -> String {
    let container = &request.target;
    format!(
        "no rule grants `{}` to `{}` for the pod `{}` in the namespace `{}`",
        request.action.as_str(),
        request.identity.user,
        container.pod,
        container.namespace
    )
}
