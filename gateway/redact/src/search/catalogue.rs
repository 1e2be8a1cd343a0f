//! Lists the detectors and the kinds of secrets that they find, with an example of each.

use gateway_core::{DETECTORS, TELLING_NAMES};
use serde::Serialize;

use super::detect::example::{Numbers, of_template, of_token};
use super::detect::forms::{self, Form};
use super::detect::tables;
use super::detect::token::Token;
use super::telling_names;

/// A detector of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DetectorInfo {
    /// Its name in plans.
    pub name: &'static str,
    /// The secrets that it finds, in words.
    pub finds: &'static str,
    /// Each kind of secret.
    pub kinds: Vec<SecretKind>,
}

/// A kind of secret that a detector finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretKind {
    /// Its name.
    pub kind: String,
    /// The bytes by which it is known; mostly its prefix.
    pub prefix: String,
    /// The bytes of the part that is secret.
    pub alphabet: String,
    /// The length of that part, in bytes.
    pub length: String,
    /// The check digits, if the format has any. Only those of cards are tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// An example, made up anew; none of binary data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// The issuer's public documentation of the format.
    pub source: String,
}

/// All detectors, in the order of their names.
pub fn catalogue() -> Vec<DetectorInfo> {
    let mut numbers = Numbers::new(23);
    DETECTORS
        .map(|name| DetectorInfo {
            name,
            finds: finds(name),
            kinds: kinds(name, &mut numbers),
        })
        .into()
}

fn kinds(detector: &str, numbers: &mut Numbers) -> Vec<SecretKind> {
    if detector == TELLING_NAMES {
        return names();
    }
    let forms = forms::of(detector).iter();
    let mut kinds: Vec<_> = forms.map(|form| of_form(form, numbers)).collect();
    let tokens = tables(detector).iter();
    kinds.extend(tokens.map(|token| of_row(token, numbers)));
    kinds
}

fn of_form(form: &Form, numbers: &mut Numbers) -> SecretKind {
    let example = of_template(form.template, numbers);
    SecretKind {
        kind: form.kind.to_owned(),
        prefix: form.begins.to_owned(),
        alphabet: form.alphabet.to_owned(),
        length: form.length.to_owned(),
        checksum: some(form.checksum),
        example: some(&example),
        source: form.source.to_owned(),
    }
}

fn of_row(token: &Token, numbers: &mut Numbers) -> SecretKind {
    let (before, least, most) = token.head;
    let (least, most, is) = match token.body {
        (_, 0) => (least, most, before),
        (least, most) => (least, most, token.is),
    };
    let length = if least == most {
        least.to_string()
    } else {
        format!("{least}-{most}")
    };
    let example = of_token(token, token.body.0, numbers);
    SecretKind {
        kind: token.kind.to_owned(),
        prefix: token.fixed.to_owned(),
        alphabet: alphabet(is),
        length,
        checksum: some(token.checksum),
        example: some(&String::from_utf8_lossy(&example)),
        source: token.source.to_owned(),
    }
}

/// The words of [`TELLING_NAMES`].
fn names() -> Vec<SecretKind> {
    let kind = |(kind, words, example): (&str, String, &str)| SecretKind {
        kind: kind.to_owned(),
        prefix: words,
        alphabet: "name of a variable".to_owned(),
        length: "any".to_owned(),
        checksum: None,
        example: some(example),
        source: "names of variables in use".to_owned(),
    };
    telling_names::groups().map(kind).into()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The bytes that satisfy `is`, runs of three and more as ranges: `A-Z a-z 0-9 -`.
fn alphabet(is: fn(u8) -> bool) -> String {
    let classes = [b'A'..=b'Z', b'a'..=b'z', b'0'..=b'9'];
    let mut parts = Vec::new();
    for class in classes {
        let fits: Vec<u8> = class.filter(|&byte| is(byte)).collect();
        let whole = fits.last().zip(fits.first());
        let in_a_row =
            whole.is_some_and(|(last, first)| usize::from(last - first) + 1 == fits.len());
        match whole {
            Some((&last, &first)) if in_a_row && fits.len() > 2 => {
                parts.push(format!("{}-{}", char::from(first), char::from(last)));
            }
            _ => parts.extend(fits.into_iter().map(|byte| char::from(byte).to_string())),
        }
    }
    let others = (b'!'..=b'~').filter(|byte| !byte.is_ascii_alphanumeric() && is(*byte));
    parts.extend(others.map(|byte| char::from(byte).to_string()));
    parts.join(" ")
}

/// The secrets that the detector of that name finds, as docs/redaction.md has it.
fn finds(detector: &str) -> &'static str {
    match detector {
        "auth-header" => "`Basic`, `Bearer` and Discord's `Bot` credentials",
        "aws-access-key" => "keys and session tokens of AWS",
        "azure-key" => "keys, client secrets and shared access signatures of Azure",
        "basic-auth-url" => {
            "the password in a URL, also with a raw `@`, `/`, `#`, `?`, quote or up to three spaces; a user of at least 16 bytes that looks like a token"
        }
        "cloud-token" => {
            "DigitalOcean, Heroku, Fly.io, Alibaba, Tencent, PlanetScale, Supabase, Netlify, Render, Neon, MongoDB Atlas, Aiven, Cloudflare's origin CA, Yandex, Azure's annotated keys"
        }
        "code-host-token" => {
            "GitLab (14 kinds), Bitbucket, Atlassian, Sourcegraph, CircleCI, Buildkite"
        }
        "connection-string" => {
            "the password or key in JDBC (also Oracle's thin driver), libpq, ADO, ODBC, Azure and Redis strings, and in Go's data source names"
        }
        "credential-file" => "docker's `auth`, npm's tokens, netrc, pgpass, htpasswd",
        "credit-card" => "card numbers with a right check digit",
        "gcp-key" => "keys and tokens of Google Cloud",
        "github-token" => "tokens of GitHub",
        "jwt" => "JSON Web Tokens",
        "kubernetes-token" => "tokens of service accounts",
        "message-token" => {
            "Twilio, SendGrid, Mailgun, Mailchimp, Brevo, Telegram, Notion, Twitch, Matrix; webhooks of Discord, Teams and Zapier"
        }
        "model-key" => {
            "OpenAI and what is compatible with it, Anthropic, Hugging Face, xAI, Perplexity, Groq, OpenRouter, Replicate, NVIDIA, LangSmith, Langfuse, Tavily, Pinecone, Together, Cerebras, LlamaCloud"
        }
        "operations-token" => {
            "Grafana, New Relic, Databricks, Linear, K3s, Sentry, Dynatrace, Postman, Figma, HubSpot, Tailscale, Contentful, SonarQube, Typeform, Honeycomb, Prefect, LaunchDarkly, ReadMe, Snyk"
        }
        "password-field" => {
            "values of names that end in password, passwd, passphrase, secret, api key, access, auth or refresh token, in JSON, YAML (also blocks), properties, XML and pairs of name and value"
        }
        "payment-key" => {
            "Stripe, Paystack, Square, Shopify, Braintree, Flutterwave, Plaid, EasyPost, Shippo, Duffel"
        }
        "private-key" => {
            "PEM (also joined with `\\n`, also in base64 as in kubeconfig files), PGP blocks, DER (PKCS#8, PKCS#1, SEC 1), PuTTY, age"
        }
        "registry-token" => "npm, PyPI, Docker Hub, RubyGems, crates.io, NuGet, Clojars, JFrog",
        "shadow-line" => "password hashes in `/etc/shadow`",
        "slack-token" => "tokens and webhooks of Slack",
        TELLING_NAMES => "values of variables whose names speak of secrets",
        "vault-token" => "Vault, HCP Terraform, Pulumi, Doppler, 1Password",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gateway_core::{MaskRule, Pattern, Place, Plan};

    use super::super::{Rules, SearchSettings, Tally};
    use super::*;

    fn finds_example(detector: &DetectorInfo, example: &str) -> bool {
        let rule = MaskRule {
            name: detector.name.to_owned(),
            pattern: Pattern::Detector(detector.name.to_owned()),
            places: BTreeSet::from([Place::Files]),
        };
        let plan = Plan {
            mask: vec![rule],
            ..Plan::default()
        };
        let rules = Rules::compile(&plan, &[], &SearchSettings::default()).unwrap();
        let mut masked = example.as_bytes().to_vec();
        rules.mask_whole(Place::Files, &mut masked, &mut Tally::default());
        masked != example.as_bytes() || rules.selects(example.as_bytes())
    }

    #[test]
    fn every_detector_finds_the_examples_of_its_kinds() {
        let mut wrong = Vec::new();
        let mut kinds = BTreeSet::new();
        for detector in catalogue() {
            assert!(
                !detector.finds.is_empty() && !detector.kinds.is_empty(),
                "{}",
                detector.name
            );
            for kind in &detector.kinds {
                assert!(
                    !kind.source.is_empty() && !kind.prefix.is_empty(),
                    "{kind:?}"
                );
                kinds.insert((detector.name, kind.kind.clone()));
                let example = kind.example.as_deref();
                if example.is_some_and(|example| !finds_example(&detector, example)) {
                    wrong.push((detector.name, kind.kind.clone(), kind.example.clone()));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        let all: usize = catalogue()
            .iter()
            .map(|detector| detector.kinds.len())
            .sum();
        assert!(
            all == kinds.len() && all > 200,
            "{all} kinds, {} names",
            kinds.len()
        );
    }

    #[test]
    fn alphabets_are_ranges_and_single_bytes() {
        assert_eq!(alphabet(|byte| byte.is_ascii_alphanumeric()), "A-Z a-z 0-9");
        assert_eq!(
            alphabet(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')),
            "a-f 0-9 -"
        );
        assert_eq!(alphabet(|byte| matches!(byte, b'A' | b'C')), "A C");
    }
}
