//! Detectors of well-known secrets. Each is a list of anchors, which every secret of its kind contains, and for each anchor a
//! function that reads the text around it and returns the part to mask. The formats are those that their issuers document.

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

/// Finds the secret around the anchor at an offset of the text. The text begins at most 4 KiB before the anchor and ends at
/// most 64 KiB after its beginning.
pub(super) type Verify = fn(&[u8], usize) -> Option<Range<usize>>;

/// An anchor and the function that finds the secret around it.
pub(super) type Probe = (Anchor, Verify);

/// How secrets of one kind are found.
#[derive(Debug)]
pub(super) enum Detector {
    /// By bytes that each of them contains.
    Anchored(Vec<Probe>),
    /// Payment card numbers, which consist of digits only.
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
    fn every_detector_exists_with_usable_anchors() {
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
