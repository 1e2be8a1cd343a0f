//! The text of a configuration, and the line and column of each key in it.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A configuration file's text.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    /// The file, as the user named it: error messages begin with it.
    pub(super) file: &'a Path,
    pub(super) text: String,
}

/// A place in a text, counted from 1. A column is a character, not a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl<'a> Document<'a> {
    /// Reads the file.
    pub(super) fn read(file: &'a Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(file)?;
        Ok(Self { file, text })
    }

    /// The folder from which the paths in this configuration count.
    pub(super) fn folder(&self, working_folder: &Path) -> PathBuf {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let folder = working_folder.join(folder);
        if goes_up(&folder) {
            // Neither people nor the store want paths with `..` in them.
            return folder.canonicalize().unwrap_or(folder);
        }
        folder
    }

    /// Where the value of `key` begins, such as `tls.key` or `policies.0.file`.
    pub(super) fn position_of(&self, key: &str) -> Option<Position> {
        let root = DeTable::parse(&self.text).ok()?.into_inner();
        let mut steps = key.split('.');
        let first = root.get(steps.next()?)?;
        let found = steps.try_fold(first, |value, step| child(value.get_ref(), step))?;
        self.position_at(found.span())
    }

    /// Where `span` begins.
    pub(super) fn position_at(&self, span: Range<usize>) -> Option<Position> {
        let before = self.text.get(..span.start)?;
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Some(Position {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..)?.chars().count() + 1,
        })
    }
}

/// Whether `path` has a part that is `..`.
pub(super) fn goes_up(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

/// The value under `step`, which is a key of a table or an index of an array.
fn child<'v, 'i>(value: &'v DeValue<'i>, step: &str) -> Option<&'v Spanned<DeValue<'i>>> {
    match value {
        DeValue::Array(_) => value.get(step.parse::<usize>().ok()?),
        _ => value.get(step),
    }
}
