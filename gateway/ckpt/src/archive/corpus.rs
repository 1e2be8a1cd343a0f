//! The corpus of `gateway/redact/tests/corpus`, as a part of the program, so that its figures can be measured anywhere.

/// Texts in which no detector may find anything.
pub(super) const SHARED: &str =
    include_str!("../../../redact/tests/corpus/negatives/everything.txt");

macro_rules! corpus {
    ($($name:literal),* $(,)?) => {
        [$((
            $name,
            include_str!(concat!("../../../redact/tests/corpus/positives/", $name, ".txt")),
            include_str!(concat!("../../../redact/tests/corpus/negatives/", $name, ".txt")),
        )),*]
    };
}

/// Each detector with its positives and negatives.
const CORPUS: [(&str, &str, &str); 24] = corpus![
    "auth-header",
    "aws-access-key",
    "azure-key",
    "basic-auth-url",
    "cloud-token",
    "code-host-token",
    "connection-string",
    "credential-file",
    "credit-card",
    "gcp-key",
    "github-token",
    "jwt",
    "kubernetes-token",
    "message-token",
    "model-key",
    "operations-token",
    "password-field",
    "payment-key",
    "private-key",
    "registry-token",
    "shadow-line",
    "slack-token",
    "telling-names",
    "vault-token",
];

/// Positives and negatives of the detector of this name.
pub(super) fn of(detector: &str) -> Option<(&'static str, &'static str)> {
    let mut corpus = CORPUS.into_iter();
    corpus.find_map(|(name, positives, negatives)| {
        (name == detector).then_some((positives, negatives))
    })
}

#[cfg(test)]
mod tests {
    use gateway_core::DETECTORS;

    #[test]
    fn every_detector_has_a_corpus() {
        for name in DETECTORS {
            assert!(super::of(name).is_some(), "{name}");
        }
    }
}
