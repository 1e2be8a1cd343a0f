use std::fmt;
use std::path::Path;

/// What is wrong with a configuration, and where.
#[derive(Debug)]
pub struct Mistake {
    place: String,
    what: String,
    source: Option<std::io::Error>,
}

impl Mistake {
    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self {
            place: path.display().to_string(),
            what: "cannot be read".to_owned(),
            source: Some(source),
        }
    }

    pub(super) fn in_text(text: &str, name: &str, error: &toml::de::Error) -> Self {
        let place = place(text, name, error.span().map(|span| span.start));
        Self {
            place,
            what: explained(error.message()),
            source: None,
        }
    }

    /// What is wrong with the file at `path`, which the configuration `text` names.
    pub fn in_file(text: &str, name: &str, path: &Path, what: String) -> Self {
        let place = place(text, name, text.find(&format!("\"{}\"", path.display())));
        Self {
            place,
            what,
            source: None,
        }
    }

    pub(super) fn of_meaning(name: &str, what: String) -> Self {
        Self {
            place: name.to_owned(),
            what,
            source: None,
        }
    }

    pub(super) fn in_environment(set: &[(&str, &str, String)], error: &toml::de::Error) -> Self {
        let names: Vec<_> = set.iter().map(|(name, ..)| *name).collect();
        Self {
            place: format!("environment ({})", names.join(", ")),
            what: explained(error.message()),
            source: None,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl std::error::Error for Mistake {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// `NAME:LINE:COLUMN` of the byte `at` of `text`, both counted from 1.
fn place(text: &str, name: &str, at: Option<usize>) -> String {
    let Some(before) = at.and_then(|at| text.get(..at)) else {
        return name.to_owned();
    };
    let line = before.matches('\n').count().saturating_add(1);
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        .saturating_add(1);
    format!("{name}:{line}:{column}")
}

/// serde's words for an unknown key are: unknown field `a`, expected one of `b`, `c`.
fn explained(message: &str) -> String {
    let message = message.trim_end();
    let Some(list) = message.strip_prefix("unknown field ") else {
        return message.to_owned();
    };
    let mut words = list.split('`').skip(1).step_by(2);
    let Some(unknown) = words.next() else {
        return message.to_owned();
    };
    let known: Vec<_> = words.collect();
    let slips = known
        .iter()
        .map(|key| (strsim::osa_distance(unknown, key), key));
    let meant = slips
        .filter(|(slips, key)| *slips <= key.len().div_ceil(3))
        .min_by_key(|(slips, _)| *slips);
    meant.map_or_else(
        || {
            format!(
                "unknown key `{unknown}`; the keys here are {}",
                known.join(", ")
            )
        },
        |(_, meant)| format!("unknown key `{unknown}`: did you mean `{meant}`?"),
    )
}
