use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::{DropRule, MaskRule, Pattern, Places, Plan};

/// The words for places, in settings.
const PLACES: [(&str, Places); 4] =
    [("spec", Places::SPEC), ("memory", Places::MEMORY), ("logs", Places::LOGS), ("files", Places::FILES)];

impl Plan {
    /// Nothing is to be hidden.
    pub fn empty() -> Self {
        Self { mask: Vec::new(), drop: Vec::new(), hide: Vec::new() }
    }
}

impl MaskRule {
    /// Hides the values of environment variables whose names match the glob, wherever they occur.
    pub fn env_value(glob: &str, places: Places) -> Self {
        Self { name: format!("env-value {glob}"), pattern: Pattern::EnvValue(glob.to_owned()), places }
    }

    /// Hides what one of the gateway's detectors finds.
    pub fn detector(detector: &str, places: Places) -> Self {
        Self { name: detector.to_owned(), pattern: Pattern::Detector(detector.to_owned()), places }
    }

    /// Hides what matches the expression: the syntax of the `regex` crate over bytes, without look-around.
    pub fn regex(name: &str, regex: &str, places: Places) -> Self {
        Self { name: name.to_owned(), pattern: Pattern::Regex(regex.to_owned()), places }
    }
}

impl DropRule {
    /// Leaves an entry out altogether: `container.log`, or `rootfs-diff.tar:/etc/shadow`.
    pub fn new(entry: &str) -> Self {
        Self { name: entry.to_owned(), entry: entry.to_owned() }
    }
}

/// The words for the places.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn words(places: Places) -> impl Iterator<Item = &'static str> {
    PLACES.into_iter().filter(move |(_, place)| places.contains(*place)).map(|(word, _)| word)
}

/// A list of words, in any order, at least one; a rule that looks nowhere hides nothing.
impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut places = Self::empty();
        for word in Vec::<String>::deserialize(deserializer)? {
            let known = PLACES.iter().find(|(known, _)| *known == word);
            let (_, place) = known.ok_or_else(|| {
                D::Error::custom(format_args!("unknown place `{word}`, expected spec, memory, logs or files"))
            })?;
            places |= *place;
        }
        if places.is_empty() { Err(D::Error::custom("no place to look in")) } else { Ok(places) }
    }
}
