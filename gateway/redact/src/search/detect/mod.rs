//! The gateway's detectors. Each is a list of anchors, which every secret of its kind has, and for each anchor a function
//! that looks at the text around it and tells what is to be hidden. The formats are those that their issuers document.

mod aws;
mod azure;
mod basic_auth;
mod der;
mod gcp;
mod github;
mod jwt;
mod pem;
mod shadow;
mod slack;
mod text;

use std::ops::Range;

use super::anchor::Anchor;

/// Whether there is a secret around the anchor at this offset of the text, and which part of the text it is. The text
/// begins at most 4 KiB before the anchor and ends at most 64 KiB after its beginning.
pub(super) type Verify = fn(&[u8], usize) -> Option<Range<usize>>;

/// An anchor and what is to be found around it.
pub(super) type Probe = (Anchor, Verify);

/// How the secrets of one kind are found.
#[derive(Debug)]
pub(super) enum Detector {
    /// By something that each of them has.
    Anchored(Vec<Probe>),
    /// Payment card numbers: they have nothing but digits.
    Cards,
}

/// The detector of that name.
pub(super) fn named(name: &str) -> Option<Detector> {
    let probes = match name {
        "aws-access-key" => aws::probes(),
        "azure-key" => azure::probes(),
        "basic-auth-url" => basic_auth::probes(),
        "credit-card" => return Some(Detector::Cards),
        "gcp-key" => gcp::probes(),
        "github-token" => github::probes(),
        "jwt" => jwt::probes(),
        "kubernetes-token" => jwt::kubernetes_probes(),
        "private-key" => pem::probes().into_iter().chain(der::probes()).collect(),
        "shadow-line" => shadow::probes(),
        "slack-token" => slack::probes(),
        _ => return None,
    };
    Some(Detector::Anchored(probes))
}

#[cfg(test)]
mod tests {
    use gateway_core::DETECTORS;

    #[test]
    fn every_detector_that_a_plan_may_name_is_there_and_its_anchors_are_long_enough() {
        for name in DETECTORS {
            let super::Detector::Anchored(probes) = super::named(name).unwrap() else {
                continue;
            };
            assert!(
                probes.iter().all(|(anchor, _)| anchor.windows().is_some()),
                "{name}"
            );
        }
    }
}
