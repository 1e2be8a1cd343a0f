//! Constructors of plans, and places in settings.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::{DropRule, MaskRule, Pattern, Places, Plan};

/// The names of places in settings.
const PLACES: [(&str, Places); 4] = [
    ("spec", Places::SPEC),
    ("memory", Places::MEMORY),
    ("logs", Places::LOGS),
    ("files", Places::FILES),
];

impl Plan {
    /// A plan without rules.
    pub fn empty() -> Self {
        Self {
            mask: Vec::new(),
            drop: Vec::new(),
            hide: Vec::new(),
        }
    }
}

impl MaskRule {
    /// Masks the values of environment variables whose names match the glob, wherever they occur.
    pub fn env_value(glob: &str, places: Places) -> Self {
        Self {
            name: format!("env-value {glob}"),
            pattern: Pattern::EnvValue(glob.to_owned()),
            places,
        }
    }

    /// Masks the findings of one of the gateway's detectors.
    pub fn detector(detector: &str, places: Places) -> Self {
        Self {
            name: detector.to_owned(),
            pattern: Pattern::Detector(detector.to_owned()),
            places,
        }
    }

    /// Masks matches of the expression, in the syntax of the `regex` crate over bytes, without look-around.
    pub fn regex(name: &str, regex: &str, places: Places) -> Self {
        Self {
            name: name.to_owned(),
            pattern: Pattern::Regex(regex.to_owned()),
            places,
        }
    }
}

impl DropRule {
    /// Omits an entry of the archive: `container.log`, or `rootfs-diff.tar:/etc/shadow`.
    pub fn new(entry: &str) -> Self {
        Self {
            name: entry.to_owned(),
            entry: entry.to_owned(),
        }
    }
}

/// The names of the places.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn names(places: Places) -> impl Iterator<Item = &'static str> {
    PLACES
        .into_iter()
        .filter(move |(_, place)| places.contains(*place))
        .map(|(word, _)| word)
}

/// A list of names in any order. It must not be empty: a rule without places masks nothing.
impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut places = Self::empty();
        for name in Vec::<String>::deserialize(deserializer)? {
            let known = PLACES.iter().find(|(known, _)| *known == name);
            let (_, place) = known.ok_or_else(|| {
                D::Error::custom(format_args!(
                    "unknown place `{name}`, expected spec, memory, logs or files"
                ))
            })?;
            places |= *place;
        }
        if places.is_empty() {
            Err(D::Error::custom("`places` is empty"))
        } else {
            Ok(places)
        }
    }
}
