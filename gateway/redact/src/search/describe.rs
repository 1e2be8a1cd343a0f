//! Describes the secrets that rules find, without their values.

use std::collections::BTreeMap;
use std::ops::Range;

use gateway_core::{MaskRule, Pattern, Place, Plan};

use super::certificate::{self, CERTIFICATE};
use super::detect;
use super::sightings::{About, CredentialSettings, Sightings};

/// The detectors whose secrets are made at random, so that a keyed hash of one cannot be guessed.
const RANDOM: [&str; 16] = [
    "aws-access-key",
    "azure-key",
    "cloud-token",
    "code-host-token",
    "gcp-key",
    "github-token",
    "jwt",
    "kubernetes-token",
    "message-token",
    "model-key",
    "operations-token",
    "payment-key",
    "private-key",
    "registry-token",
    "slack-token",
    "vault-token",
];
/// The kind of what rules find that name variables, and of what patterns find.
pub(crate) const VARIABLE: &str = "variable";
const PATTERN: &str = "pattern";

/// A match: the rule by its index in the plan, and the extent in the text.
pub(super) type Match = (usize, Range<usize>);

/// Describes matches of a plan's rules.
#[derive(Debug)]
pub(super) struct Describer {
    settings: CredentialSettings,
    /// The kind of each rule.
    kinds: Vec<&'static str>,
}

impl Describer {
    pub(super) fn new(plan: &Plan, settings: CredentialSettings) -> Self {
        let kinds = plan.mask.iter();
        let kinds = kinds.map(|rule| kind(rule, settings.certificates));
        Self {
            kinds: kinds.collect(),
            settings,
        }
    }

    /// Adds to `found` the matches in `text`. Of those that overlap, the most telling one counts.
    pub(super) fn describe(
        &self,
        text: &[u8],
        matches: &[Match],
        place: Place,
        found: &mut Sightings,
    ) {
        for (rule, span, named_by) in self.most_telling(matches) {
            let kind = self.kind(rule);
            let about = About {
                kind,
                named_by,
                ..self.about(text, kind, &span)
            };
            // Bytes that only begin like a certificate.
            if kind == CERTIFICATE && about.expires.is_none() {
                continue;
            }
            let secret = text.get(span).unwrap_or_default();
            let identity = match kind {
                // A variable's value stands in several forms.
                VARIABLE => self.settings.identity((kind, rule)),
                "private-key" => self.settings.identity((kind, without_breaks(secret))),
                CERTIFICATE => {
                    let expires = about.expires.map(jiff::Timestamp::as_second);
                    let names = (&about.issuer, &about.subject);
                    self.settings.identity((kind, names, expires))
                }
                _ => self.settings.identity((kind, secret)),
            };
            found.add(place, identity, &about);
        }
    }

    /// Adds one copy of a variable's value, which the rule of this index selects.
    pub(super) fn describe_variable(&self, rule: usize, place: Place, found: &mut Sightings) {
        let about = About {
            kind: VARIABLE,
            named_by: Some(rule),
            ..About::default()
        };
        found.add(place, self.settings.identity((VARIABLE, rule)), &about);
    }

    fn about(&self, text: &[u8], kind: &'static str, span: &Range<usize>) -> About {
        let secret = text.get(span.clone()).unwrap_or_default();
        if kind == CERTIFICATE {
            return certificate::read(text.get(span.start..).unwrap_or_default());
        }
        let mut about = About {
            product: detect::product(kind, text, span),
            ..About::default()
        };
        let mut whole = secret;
        if matches!(kind, "jwt" | "kubernetes-token") {
            let token = detect::token_of(text, span);
            (about.issuer, about.expires) = (token.issuer, token.expires);
            about.subject = token.service_account;
            whole = text.get(token.start..span.end).unwrap_or(secret);
        }
        if RANDOM.contains(&kind) {
            let fingerprint = self.settings.fingerprint.as_ref();
            about.fingerprint = fingerprint.map(|make| match kind {
                "private-key" => make(&without_breaks(whole)),
                _ => make(whole),
            });
        }
        about
    }

    /// The matches without those that a more telling one overlaps, each with the rule of a variable whose value it is.
    fn most_telling(&self, matches: &[Match]) -> Vec<(usize, Range<usize>, Option<usize>)> {
        let mut sorted: Vec<_> = matches.iter().collect();
        sorted.sort_by_key(|(rule, span)| (rank(self.kind(*rule)), span.start));
        // By their beginnings; they do not overlap.
        let mut kept: BTreeMap<usize, (usize, usize, Option<usize>)> = BTreeMap::new();
        for (rule, span) in sorted {
            let last = kept.range_mut(..span.end).next_back();
            let name = is_named(self.kind(*rule)).then_some(*rule);
            if let Some((_, (.., named_by))) = last.filter(|(_, (end, ..))| *end > span.start) {
                *named_by = named_by.or(name);
            } else {
                kept.insert(span.start, (span.end, *rule, name));
            }
        }
        let kept = kept.into_iter();
        kept.map(|(start, (end, rule, named_by))| (rule, start..end, named_by))
            .collect()
    }

    fn kind(&self, rule: usize) -> &'static str {
        self.kinds.get(rule).copied().unwrap_or(PATTERN)
    }
}

fn kind(rule: &MaskRule, certificates: bool) -> &'static str {
    match &rule.pattern {
        Pattern::EnvValue(_) => VARIABLE,
        Pattern::Detector(name) => detect::known_name(name).unwrap_or(VARIABLE),
        Pattern::Literal(_) | Pattern::Regex(_) if certificates && rule.name == CERTIFICATE => {
            CERTIFICATE
        }
        Pattern::Literal(_) | Pattern::Regex(_) => PATTERN,
    }
}

/// Whether the rule's name says what it is.
fn is_named(kind: &str) -> bool {
    matches!(kind, VARIABLE | PATTERN)
}

/// The lower, the more telling.
fn rank(kind: &str) -> u8 {
    match kind {
        "jwt" | "shadow-line" | "credit-card" => 1,
        "basic-auth-url" | "connection-string" | CERTIFICATE => 2,
        "auth-header" | "credential-file" => 3,
        "password-field" => 4,
        VARIABLE => 5,
        PATTERN => 6,
        _ => 0,
    }
}

/// Without line breaks, and without those that are written as `\n`.
fn without_breaks(text: &[u8]) -> Vec<u8> {
    let mut left = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            byte if byte.is_ascii_whitespace() => {}
            byte => left.push(byte),
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describer(patterns: &[Pattern]) -> Describer {
        let rule = |pattern: &Pattern| MaskRule {
            name: "rule".to_owned(),
            pattern: pattern.clone(),
            places: [Place::Files].into(),
        };
        let plan = Plan {
            mask: patterns.iter().map(rule).collect(),
            ..Plan::default()
        };
        Describer::new(&plan, CredentialSettings::default())
    }

    #[test]
    fn of_overlapping_matches_the_most_telling_one_counts() {
        let named = |name: &str| Pattern::Detector(name.to_owned());
        let variable = Pattern::EnvValue("*".to_owned());
        let describer = describer(&[named("password-field"), named("github-token"), variable]);
        let matches = [(0, 0..40), (1, 5..20), (1, 22..30), (2, 5..20), (0, 50..60)];
        let kept = describer.most_telling(&matches);
        assert_eq!(
            kept,
            [(1, 5..20, Some(2)), (1, 22..30, None), (0, 50..60, None)]
        );
    }

    #[test]
    fn a_key_is_the_same_with_breaks_of_any_kind() {
        assert_eq!(without_breaks(b"ab\ncd\r\nef"), b"abcdef");
        assert_eq!(without_breaks(b"ab\\ncd\\r\\nef"), b"abcdef");
    }

    #[test]
    fn passwords_have_no_fingerprint() {
        let maker: crate::search::Fingerprint = std::sync::Arc::new(|_| "made".to_owned());
        let settings = CredentialSettings::new(Some(maker));
        let describer = Describer {
            settings,
            ..describer(&[])
        };
        for (kind, has_one) in [
            ("github-token", true),
            ("private-key", true),
            ("password-field", false),
            ("basic-auth-url", false),
            ("connection-string", false),
            ("auth-header", false),
            ("credential-file", false),
            ("shadow-line", false),
            ("credit-card", false),
            (VARIABLE, false),
            (PATTERN, false),
        ] {
            let about = describer.about(b"0123456789", kind, &(0..10));
            assert_eq!(about.fingerprint.is_some(), has_one, "{kind}");
        }
    }
}
