//! The forms of secrets that are found by functions of their own, as the catalogue lists them beside the tables of tokens.

mod keys;
mod texts;

/// A form of a secret.
#[derive(Debug)]
pub(in super::super) struct Form {
    pub(in super::super) kind: &'static str,
    /// The bytes by which it is known.
    pub(in super::super) begins: &'static str,
    pub(in super::super) alphabet: &'static str,
    pub(in super::super) length: &'static str,
    pub(in super::super) checksum: &'static str,
    /// A template of `example`; empty for binary data.
    pub(in super::super) template: &'static str,
    pub(in super::super) source: &'static str,
}

const ANY: &str = "printable";
const B64: &str = "A-Z a-z 0-9 + / =";
const URL: &str = "A-Z a-z 0-9 - _";
const ALNUM: &str = "A-Z a-z 0-9";

const fn form(
    (kind, begins): (&'static str, &'static str),
    (alphabet, length): (&'static str, &'static str),
    template: &'static str,
    source: &'static str,
) -> Form {
    Form {
        kind,
        begins,
        alphabet,
        length,
        checksum: "",
        template,
        source,
    }
}

impl Form {
    const fn with_checksum(mut self, checksum: &'static str) -> Self {
        self.checksum = checksum;
        self
    }
}

/// The forms of the detector of that name.
pub(in super::super) fn of(detector: &str) -> &'static [Form] {
    match detector {
        "auth-header" => texts::HEADERS,
        "aws-access-key" => keys::AWS,
        "azure-key" => keys::AZURE,
        "basic-auth-url" => texts::URLS,
        "connection-string" => texts::CONNECTIONS,
        "credential-file" => texts::FILES,
        "credit-card" => texts::CARDS,
        "gcp-key" => keys::GCP,
        "github-token" => keys::GITHUB,
        "jwt" => keys::JWT,
        "kubernetes-token" => keys::KUBERNETES,
        "password-field" => texts::FIELDS,
        "private-key" => keys::KEYS,
        "shadow-line" => texts::SHADOW,
        "slack-token" => keys::SLACK,
        _ => &[],
    }
}
