//! Label selectors in the syntax of `kubectl get --selector`.

use checkpoint_gateway_policy::Container;
use serde::de::{Deserialize, Deserializer, Error};

/// Requirements that must all be met. Without requirements it selects every pod.
#[derive(Debug, Default)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Debug, PartialEq)]
enum Requirement {
    /// The label exists.
    Exists(String),
    /// The label does not exist.
    Missing(String),
    /// The label has one of the values.
    In(String, Vec<String>),
    /// The label does not exist or has another value.
    NotIn(String, Vec<String>),
}

impl Selector {
    /// Whether it selects the container's pod.
    pub(crate) fn matches(&self, container: &Container) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.is_met(|key| container.pod_label(key)))
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        split(text)?
            .into_iter()
            .map(|part| Requirement::parse(part.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Requirement {
    fn is_met<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        let among = |key: &str, values: &[String]| {
            label(key).is_some_and(|own| values.iter().any(|value| value == own))
        };
        match self {
            Self::Exists(key) => label(key).is_some(),
            Self::Missing(key) => label(key).is_none(),
            Self::In(key, values) => among(key, values),
            Self::NotIn(key, values) => !among(key, values),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_suffix(')') {
            let wrong = || {
                format!("`{text}` is not a requirement: write `key in (a,b)` or `key notin (a,b)`")
            };
            let (head, values) = rest.split_once('(').ok_or_else(wrong)?;
            let (name, operator) = head.trim().rsplit_once(' ').ok_or_else(wrong)?;
            let values = values
                .split(',')
                .map(|value| word(value, true))
                .collect::<Result<_, _>>()?;
            return match operator {
                "in" => Ok(Self::In(key(name)?, values)),
                "notin" => Ok(Self::NotIn(key(name)?, values)),
                _ => Err(wrong()),
            };
        }
        if let Some((name, value)) = text.split_once("!=") {
            return Ok(Self::NotIn(key(name)?, vec![word(value, true)?]));
        }
        if let Some((name, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return Ok(Self::In(key(name)?, vec![word(value, true)?]));
        }
        match text.strip_prefix('!') {
            Some(name) => key(name).map(Self::Missing),
            None => key(text).map(Self::Exists),
        }
    }
}

/// At the commas that are not within parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut inside = false;
    let parts = text.split(|character| {
        match character {
            '(' => inside = true,
            ')' => inside = false,
            _ => {}
        }
        character == ',' && !inside
    });
    let parts = parts.collect();
    if inside {
        Err(format!("`{text}` lacks a `)`"))
    } else {
        Ok(parts)
    }
}

/// A label's key may have a prefix: `app.kubernetes.io/name`.
fn key(text: &str) -> Result<String, String> {
    let (prefix, name) = text.trim().split_once('/').unwrap_or(("a", text.trim()));
    word(prefix, false)?;
    word(name, false)?;
    Ok(text.trim().to_owned())
}

fn word(text: &str, may_be_empty: bool) -> Result<String, String> {
    let text = text.trim();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.bytes().all(fits) && (may_be_empty || !text.is_empty()) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is neither a label's key nor a value: use letters, digits, `-`, `_` and `.`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Selector;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let label = |key: &str| {
            labels
                .iter()
                .find(|(own, _)| *own == key)
                .map(|(_, value)| *value)
        };
        Selector::parse(selector)
            .unwrap()
            .0
            .iter()
            .all(|requirement| requirement.is_met(label))
    }

    #[test]
    fn selects_pods_as_kubernetes_does() {
        let cart = [
            ("app", "cart"),
            ("tier", "front"),
            ("app.kubernetes.io/name", "cart"),
        ];
        for selector in [
            "",
            " ",
            "app",
            "app=cart",
            "app==cart",
            "app = cart",
            "tier!=back",
            "!legacy",
            "other!=x",
            "app in (cart, till)",
            "app in (cart),tier notin (back)",
            "other notin (a,b)",
            "app=cart,tier=front,!legacy",
            "app.kubernetes.io/name=cart",
        ] {
            assert!(selects(selector, &cart), "{selector}");
        }
        for selector in [
            "legacy",
            "app=till",
            "app=",
            "!app",
            "app!=cart",
            "app in (till)",
            "other in (a)",
            "app=cart,tier=back",
        ] {
            assert!(!selects(selector, &cart), "{selector}");
        }
    }

    #[test]
    fn refuses_malformed_selectors() {
        for selector in [
            ",",
            "app,",
            "=cart",
            "app=(cart",
            "app in cart)",
            "app within (a)",
            "a b",
            "app=a b",
            "/x=1",
            "ä=1",
            "!",
        ] {
            assert!(Selector::parse(selector).is_err(), "{selector}");
        }
    }
}
