use gateway_core::{Decision, Denial, Request};
use serde::Deserialize;

/// The built-in policy: a request goes on where one rule names its user or one of their groups, for its namespace.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    rules: Vec<AllowRule>,
}

/// Who may, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AllowRule {
    /// User names, whole and case-sensitive.
    pub users: Vec<String>,
    /// Group names, whole and case-sensitive.
    pub groups: Vec<String>,
    /// Namespaces; empty means all.
    pub namespaces: Vec<String>,
}

impl AllowList {
    /// The name under which verdicts and denials show this policy.
    pub const NAME: &'static str = "allow-list";

    /// A list of these rules. Without rules nobody is allowed.
    pub fn new(rules: Vec<AllowRule>) -> Self {
        Self { rules }
    }

    pub(crate) fn decide(&self, request: &Request) -> Decision {
        if self.rules.iter().any(|rule| rule.allows(request)) {
            return Decision::Allow;
        }
        let target = &request.target.target;
        Decision::Deny(Denial {
            code: "not-on-allow-list".into(),
            message: format!(
                "no rule of the allow list lets this user {} {target}",
                request.action.as_str()
            ),
        })
    }
}

impl AllowRule {
    fn allows(&self, request: &Request) -> bool {
        let who = &request.identity;
        let named = self.users.contains(&who.user)
            || who.groups.iter().any(|group| self.groups.contains(group));
        let namespace = request.target.target.namespace();
        named
            && (self.namespaces.is_empty()
                || self.namespaces.iter().any(|allowed| allowed == namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use gateway_core::{Action, Container, CredentialKind, Identity, RequestId, Target};

    fn request(user: &str, groups: &[&str], namespace: &str) -> Request {
        Request {
            id: RequestId::from(uuid::Uuid::nil()),
            action: Action::Create,
            identity: Identity {
                user: user.into(),
                groups: groups.iter().map(ToString::to_string).collect(),
                credential: CredentialKind::BearerToken,
                issuer: "https://issuer.example".into(),
                claims: serde_json::Map::new(),
            },
            target: Container {
                target: Target::new(namespace, "cart-0", "app").unwrap(),
                id: "a".repeat(64),
                sandbox_id: "b".repeat(64),
                pod_uid: String::new(),
                image: String::new(),
                labels: BTreeMap::default(),
                annotations: BTreeMap::default(),
                pod_labels: BTreeMap::default(),
                pod_annotations: BTreeMap::default(),
                memory_bytes: None,
            },
            archive: None,
            latest: None,
            reason: None,
            timeout_seconds: None,
            source_address: [127, 0, 0, 1].into(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            headers: BTreeMap::new(),
        }
    }

    fn allows(rule: AllowRule, request: &Request) -> bool {
        AllowList::new(vec![rule]).decide(request) == Decision::Allow
    }

    #[test]
    fn an_empty_list_allows_nobody() {
        let Decision::Deny(denial) =
            AllowList::default().decide(&request("alice", &["sec"], "shop"))
        else {
            panic!("allowed")
        };
        assert_eq!(denial.code, "not-on-allow-list");
    }

    #[test]
    fn a_rule_names_users_or_groups_exactly() {
        let rule = AllowRule {
            users: vec!["alice".into()],
            groups: vec!["sec".into()],
            ..AllowRule::default()
        };
        assert!(allows(rule.clone(), &request("alice", &[], "shop")));
        assert!(allows(
            rule.clone(),
            &request("bob", &["dev", "sec"], "shop")
        ));
        for (user, group) in [("Alice", "dev"), ("alice ", "secs"), ("", "")] {
            assert!(
                !allows(rule.clone(), &request(user, &[group], "shop")),
                "{user} {group}"
            );
        }
    }

    #[test]
    fn a_rule_without_anybody_allows_nobody() {
        assert!(!allows(AllowRule::default(), &request("", &[], "shop")));
    }

    #[test]
    fn namespaces_narrow_a_rule() {
        let rule = AllowRule {
            users: vec!["alice".into()],
            namespaces: vec!["shop".into()],
            ..AllowRule::default()
        };
        assert!(allows(rule.clone(), &request("alice", &[], "shop")));
        assert!(!allows(rule, &request("alice", &[], "bank")));
    }
}
