//! Detectors of well-known secrets. Each is a list of anchors, which every secret of its kind contains, and for each anchor a
//! function that reads the text around it and returns the part to mask. The formats are those that their issuers document.

mod armour;
mod aws;
mod azure;
mod basic_auth;
mod block;
mod connection;
mod credential_file;
mod der;
pub(super) mod example;
mod field;
pub(super) mod forms;
mod gcp;
mod github;
mod header;
mod jwt;
#[cfg(test)]
mod kinds;
mod known;
mod pem;
mod shadow;
mod slack;
mod text;
pub(super) mod token;
mod tokens;
mod words;

use std::ops::Range;

use gateway_core::{Place, TELLING_NAMES};

use super::anchor::Anchor;
pub(super) use jwt::token_of;
pub(super) use known::{Known, Text};
use token::Token;
pub(super) use words::is_placeholder;

/// Finds the secret around the anchor at an offset of the text. The text begins at most 4 KiB before the anchor and ends at
/// most 64 KiB after its beginning.
pub(super) type Verify = fn(&Text<'_>, usize) -> Option<Range<usize>>;

/// An anchor and the function that finds the secret around it.
pub(super) type Probe = (Anchor, Verify);

/// As [`Verify`], for what counts as a secret in some places only.
pub(super) type VerifyIn = fn(&Text<'_>, usize, Place) -> Option<Range<usize>>;

/// The part that reads the text around an anchor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Finder {
    /// By a function.
    Text(Verify),
    /// By a function that needs the place.
    TextIn(VerifyIn),
    /// By a row of a table.
    Token(&'static Token),
}

impl Finder {
    /// The secret around the anchor at `at`.
    pub(super) fn find(self, text: &Text<'_>, at: usize, place: Place) -> Option<Range<usize>> {
        match self {
            Self::Text(verify) => verify(text, at),
            Self::TextIn(verify) => verify(text, at, place),
            Self::Token(token) => token.find(text, at),
        }
    }
}

/// How secrets of one kind are found.
#[derive(Debug)]
pub(super) enum Detector {
    /// By bytes that each of them contains.
    Anchored(Vec<(Anchor, Finder)>),
    /// Payment card numbers, which consist of digits only.
    Cards,
    /// None in bytes: the detector selects environment variables by their names.
    Variables,
}

/// The detector of that name.
pub(super) fn named(name: &str) -> Option<Detector> {
    if let Some(tokens) = tokens::group(name) {
        return Some(Detector::Anchored(of_table(tokens).collect()));
    }
    let probes = match name {
        "auth-header" => header::probes(),
        "aws-access-key" => aws::probes(),
        "azure-key" => azure::probes(),
        "basic-auth-url" => basic_auth::probes(),
        "connection-string" => return Some(by_place(connection::probes())),
        "credential-file" => credential_file::probes(),
        "credit-card" => return Some(Detector::Cards),
        "gcp-key" => gcp::probes(),
        "github-token" => github::probes(),
        "jwt" => jwt::probes(),
        "kubernetes-token" => jwt::kubernetes_probes(),
        "password-field" => return Some(by_place(field::probes())),
        "private-key" => return Some(Detector::Anchored(private_keys())),
        "shadow-line" => shadow::probes(),
        "slack-token" => slack::probes(),
        TELLING_NAMES => return Some(Detector::Variables),
        _ => return None,
    };
    Some(Detector::Anchored(by_text(probes).collect()))
}

/// The detector's name as this program keeps it, if the detector finds secrets by their form.
pub(super) fn known_name(name: &str) -> Option<&'static str> {
    let mut names = gateway_core::DETECTORS.into_iter();
    names.find(|known| *known == name && *known != TELLING_NAMES)
}

/// The product that the token at `span` opens, for detectors that find tokens of several.
pub(super) fn product(detector: &str, text: &[u8], span: &Range<usize>) -> Option<&'static str> {
    let known = Known::default();
    let text = &Text::new(text, 0, &known);
    let mut tokens = tables(detector).iter();
    let token = tokens.find(|token| token.is_at(text, span))?;
    Some(token.kind)
}

/// The table of tokens of the detector of that name; empty where it has none.
pub(super) fn tables(name: &str) -> &'static [Token] {
    match name {
        "private-key" => &armour::TOKENS,
        _ => tokens::group(name).unwrap_or_default(),
    }
}

fn private_keys() -> Vec<(Anchor, Finder)> {
    let probes = [pem::probes(), der::probes(), armour::probes()];
    by_text(probes.concat())
        .chain(of_table(&armour::TOKENS))
        .collect()
}

fn by_place(probes: Vec<(Anchor, VerifyIn)>) -> Detector {
    let probes = probes.into_iter();
    let probes = probes.map(|(anchor, verify)| (anchor, Finder::TextIn(verify)));
    Detector::Anchored(probes.collect())
}

fn by_text(probes: Vec<Probe>) -> impl Iterator<Item = (Anchor, Finder)> {
    let probes = probes.into_iter();
    probes.map(|(anchor, verify)| (anchor, Finder::Text(verify)))
}

fn of_table(tokens: &'static [Token]) -> impl Iterator<Item = (Anchor, Finder)> {
    let tokens = tokens.iter();
    tokens.map(|token| (token.anchor(), Finder::Token(token)))
}

#[cfg(test)]
mod tests {
    use gateway_core::DETECTORS;

    #[test]
    fn every_detector_exists_with_usable_anchors() {
        for name in DETECTORS {
            let super::Detector::Anchored(probes) = super::named(name).unwrap() else {
                continue;
            };
            assert!(
                probes.iter().all(|(anchor, _)| anchor.is_usable()),
                "{name}"
            );
        }
    }
}
