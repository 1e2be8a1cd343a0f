//! "Did you mean": the known name that is closest to a misspelt one.

/// The names that are known at a place.
pub(super) struct Suggestions<'a>(pub(super) Vec<&'a str>);

impl Suggestions<'_> {
    /// A suggestion for `name`, which is a `kind` of name: `key` or `value`.
    pub(super) fn advice(&self, kind: &str, name: &str) -> String {
        match self.closest(name) {
            Some(closest) => format!("did you mean `{closest}`?"),
            None => format!("the {kind}s here are {}", self.0.join(", ")),
        }
    }

    /// The known name with the fewest typing errors from `name`, if these are at most a third of its length.
    fn closest(&self, name: &str) -> Option<&str> {
        let distances = self
            .0
            .iter()
            .map(|known| (strsim::osa_distance(name, known), *known));
        distances
            .filter(|(distance, known)| *distance <= known.len().div_ceil(3))
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, known)| known)
    }
}
