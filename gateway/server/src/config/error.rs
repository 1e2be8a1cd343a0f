//! The error of a configuration: its place, the problem and advice.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::document::{Document, Position};
use super::suggestions::Suggestions;

/// A mistake in a configuration.
#[derive(Debug)]
pub struct ConfigError {
    origin: Origin,
    problem: String,
    advice: Option<String>,
    source: Option<io::Error>,
}

/// The source of the wrong value.
#[derive(Debug)]
enum Origin {
    File {
        path: PathBuf,
        position: Option<Position>,
    },
    Variable(&'static str),
}

impl ConfigError {
    /// The configuration file, unless an environment variable is wrong.
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File { path, .. } => Some(path),
            Origin::Variable(_) => None,
        }
    }

    /// The line in the file, from 1, if the problem has a place there.
    pub fn line(&self) -> Option<usize> {
        self.position().map(|position| position.line)
    }

    /// The column in that line, from 1, in characters.
    pub fn column(&self) -> Option<usize> {
        self.position().map(|position| position.column)
    }

    /// The problem.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Advice, if there is any.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    fn position(&self) -> Option<Position> {
        match self.origin {
            Origin::File { position, .. } => position,
            Origin::Variable(_) => None,
        }
    }

    /// The configuration cannot be read.
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        let origin = Origin::File {
            path: path.to_owned(),
            position: None,
        };
        Self {
            origin,
            problem: "cannot read the configuration".to_owned(),
            advice: None,
            source: Some(source),
        }
    }

    /// The text is not TOML, or not a configuration.
    pub(super) fn parse(document: &Document<'_>, error: &toml::de::Error) -> Self {
        let position = error.span().and_then(|span| document.position_at(span));
        Self::new(document, position, explained(error.message()))
    }

    /// The value of `key` is wrong. Without a place for the key, as with one that is missing, the file alone is named.
    pub(crate) fn at(document: &Document<'_>, key: &str, problem: Problem) -> Self {
        Self::new(document, document.position_of(key), problem)
    }

    /// The value of the environment variable `name` is wrong.
    pub(super) fn variable(name: &'static str, problem: Problem) -> Self {
        Self {
            origin: Origin::Variable(name),
            problem: problem.what,
            advice: problem.advice,
            source: None,
        }
    }

    fn new(document: &Document<'_>, position: Option<Position>, problem: Problem) -> Self {
        let origin = Origin::File {
            path: document.file.to_owned(),
            position,
        };
        Self {
            origin,
            problem: problem.what,
            advice: problem.advice,
            source: None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File { path, position } => {
                write!(f, "{}", path.display())?;
                if let Some(Position { line, column }) = position {
                    write!(f, ":{line}:{column}")?;
                }
            }
            Origin::Variable(name) => write!(f, "environment variable {name}")?,
        }
        write!(f, ": {}", self.problem)?;
        match &self.advice {
            Some(advice) => write!(f, ": {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// A problem whose place is not known yet.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(super) what: String,
    pub(super) advice: Option<String>,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            advice: None,
        }
    }

    pub(crate) fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }
}

/// serde's message in plain words. Its forms: unknown field `a`, expected one of `b`, `c`; unknown variant `a`, expected
/// `b` or `c`; missing field `a`; invalid value: integer `0`, expected a nonzero u32.
pub(super) fn explained(message: &str) -> Problem {
    let message = message.trim_end();
    if let Some(names) = message.strip_prefix("unknown field ") {
        return unknown("key", names);
    }
    if let Some(names) = message.strip_prefix("unknown variant ") {
        return unknown("value", names);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return Problem::new(format!("the key {name} is missing"));
    }
    if message.starts_with("invalid value: integer `0`, expected a nonzero ") {
        return Problem::new("must be at least 1");
    }
    Problem::new(message)
}

/// `names` has the unknown name and then those that are known, each between backquotes.
fn unknown(kind: &str, names: &str) -> Problem {
    let mut names = names.split('`').skip(1).step_by(2);
    let name = names.next().unwrap_or_default();
    let known = Suggestions(names.collect());
    Problem::new(format!("unknown {kind} `{name}`")).advise(known.advice(kind, name))
}
