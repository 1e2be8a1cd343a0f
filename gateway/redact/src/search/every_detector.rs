//! Every detector at once, compiled once, for texts that no plan is about.

use std::sync::LazyLock;

use gateway_core::{DETECTORS, MaskRule, Pattern, Place, Plan};

use super::{Rules, SearchSettings};

/// Rules of all detectors, which search [`Place::Files`]. `None` is impossible, as the crate's own detectors compile.
pub(crate) static EVERY_DETECTOR: LazyLock<Option<Rules>> = LazyLock::new(|| {
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
