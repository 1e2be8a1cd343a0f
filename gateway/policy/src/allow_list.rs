//! The built-in allow list.

use gateway_core::{Decision, Denial, Request};
use serde::Deserialize;

/// The built-in policy. It allows a request if a rule names the user or one of their groups, and the namespace.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    rules: Vec<AllowRule>,
}

/// Users and groups that are allowed in some namespaces.
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
    /// The policy's name in verdicts and denials.
    pub const NAME: &'static str = "allow-list";

    /// A list of these rules. Without rules it denies every request.
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
                "no rule of the allow list permits this user to {} {target}",
                request.action.as_str()
            ),
        })
    }
}

impl AllowRule {
    fn allows(&self, request: &Request) -> bool {
        let identity = &request.identity;
        let named = self.users.contains(&identity.user)
            || identity
                .groups
                .iter()
                .any(|group| self.groups.contains(group));
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
    fn an_empty_list_denies() {
        let Decision::Deny(denial) =
            AllowList::default().decide(&request("alice", &["sec"], "shop"))
        else {
            panic!("allowed")
        };
        assert_eq!(denial.code, "not-on-allow-list");
    }

    #[test]
    fn a_rule_matches_whole_user_and_group_names() {
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
    fn a_rule_without_names_denies() {
        assert!(!allows(AllowRule::default(), &request("", &[], "shop")));
    }

    #[test]
    fn a_rule_with_namespaces_denies_in_others() {
        let rule = AllowRule {
            users: vec!["alice".into()],
            namespaces: vec!["shop".into()],
            ..AllowRule::default()
        };
        assert!(allows(rule.clone(), &request("alice", &[], "shop")));
        assert!(!allows(rule, &request("alice", &[], "bank")));
    }
}
