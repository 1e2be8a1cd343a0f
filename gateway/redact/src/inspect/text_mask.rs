//! Masks secrets in the texts of an archive that are shown.

use std::sync::LazyLock;

use gateway_core::{DETECTORS, MaskRule, Pattern, Place, Plan};

use crate::search::{EnvValue, Rules, SearchSettings, Tally};

/// All detectors, without values of variables. `None` is impossible, as the crate's own detectors compile.
static DETECTORS_ALONE: LazyLock<Option<Rules>> = LazyLock::new(|| compile(&[]));

/// Masks what a detector takes for a secret, and the values of variables whose names suggest secrets.
#[derive(Debug, Default)]
pub(super) enum TextMask {
    /// No such variable is known.
    #[default]
    Detectors,
    /// With the values of variables.
    Values(Box<Rules>),
    /// The values are too many to be searched for: everything is masked.
    Everything,
}

impl TextMask {
    /// A mask that knows these variables.
    pub(super) fn new(values: &[EnvValue]) -> Self {
        let Some(detectors) = &*DETECTORS_ALONE else {
            return Self::Everything;
        };
        if !values
            .iter()
            .any(|value| detectors.selects(value.name.as_bytes()))
        {
            return Self::Detectors;
        }
        compile(values).map_or(Self::Everything, |rules| Self::Values(Box::new(rules)))
    }

    /// `text` with its secrets overwritten.
    pub(super) fn masked(&self, text: &[u8]) -> Vec<u8> {
        let rules = match self {
            Self::Detectors => DETECTORS_ALONE.as_ref(),
            Self::Values(rules) => Some(&**rules),
            Self::Everything => None,
        };
        let Some(rules) = rules else {
            return vec![b'*'; text.len()];
        };
        let mut masked = text.to_vec();
        rules.mask_whole(Place::Files, &mut masked, &mut Tally::default());
        masked
    }
}

fn compile(values: &[EnvValue]) -> Option<Rules> {
    let rule = |name: &str| MaskRule {
        name: name.to_owned(),
        pattern: Pattern::Detector(name.to_owned()),
        places: [Place::Files].into(),
    };
    let plan = Plan {
        mask: DETECTORS.map(rule).into(),
        ..Plan::default()
    };
    Rules::compile(&plan, values, &SearchSettings::default()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_what_looks_like_a_secret() {
        let mask = TextMask::new(&[]);
        let text = mask.masked(b"postgres://app:Tr0ub4dor-and-3@db/shop");
        assert_eq!(
            String::from_utf8_lossy(&text),
            "postgres://app:***************@db/shop"
        );
        assert_eq!(mask.masked(b"/var/lib/app"), b"/var/lib/app");
    }

    #[test]
    fn masks_values_of_variables_with_telling_names() {
        let value = |name: &str, value: &str| EnvValue {
            name: name.to_owned(),
            value: value.into(),
        };
        let mask = TextMask::new(&[
            value("DB_PASSWORD", "battery-staple-7"),
            value("LANG", "en-GB-oxendict"),
        ]);
        let text = mask.masked(b"-p battery-staple-7 -l en-GB-oxendict");
        assert_eq!(text, b"-p **************** -l en-GB-oxendict");
    }
}
