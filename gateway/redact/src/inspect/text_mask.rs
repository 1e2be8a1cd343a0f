//! Masks secrets in the texts of an archive that are shown.

use std::sync::LazyLock;

use gateway_core::{DETECTORS, MaskRule, Pattern, Place, Plan};

use crate::search::{Rules, SearchSettings, Tally};

/// All detectors. `None` is impossible, as the crate's own detectors compile.
static DETECTING: LazyLock<Option<Rules>> = LazyLock::new(|| {
    let rule = |name: &str| MaskRule {
        name: name.to_owned(),
        pattern: Pattern::Detector(name.to_owned()),
        places: [Place::Files].into(),
    };
    let plan = Plan {
        mask: DETECTORS.map(rule).into(),
        ..Plan::default()
    };
    Rules::compile(&plan, &[], &SearchSettings::default()).ok()
});

/// `text` with everything overwritten that a detector takes for a secret.
pub(super) fn masked(text: &[u8]) -> Vec<u8> {
    let Some(rules) = &*DETECTING else {
        return vec![b'*'; text.len()];
    };
    let mut masked = text.to_vec();
    rules.mask_whole(Place::Files, &mut masked, &mut Tally::default());
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_what_looks_like_a_secret() {
        let text = masked(b"postgres://app:Tr0ub4dor-and-3@db/shop");
        assert_eq!(
            String::from_utf8_lossy(&text),
            "postgres://app:***************@db/shop"
        );
        assert_eq!(masked(b"/var/lib/app"), b"/var/lib/app");
    }
}
