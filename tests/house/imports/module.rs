//! A module of a crate as its source has it: names, imports and mentioned paths, nothing resolved yet.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Index into the list of a crate's modules; the root is 0.
pub(crate) type ModuleId = usize;

#[derive(Default)]
pub(crate) struct Module {
    /// Names from the crate's root down to this module; empty for the root.
    pub(crate) path: Vec<String>,
    pub(crate) parent: Option<ModuleId>,
    pub(crate) file: PathBuf,
    /// A name may stand for several things at once: a module, a type, a function, a macro.
    pub(crate) names: BTreeMap<String, Vec<Name>>,
    /// Prefixes of `use prefix::*`.
    pub(crate) globs: Vec<Mention>,
    pub(crate) mentions: Vec<Mention>,
}

/// What a name in a module stands for.
#[derive(Clone)]
pub(crate) enum Name {
    Module(ModuleId),
    Item,
    Import(Mention),
}

/// A path as it stands in the source, such as `super::thing::Part`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mention {
    /// Begins with `::`, so its first name is another crate.
    pub(crate) external: bool,
    pub(crate) segments: Vec<String>,
}

impl Module {
    pub(crate) fn define(&mut self, name: String, meaning: Name) {
        self.names.entry(name).or_default().push(meaning);
    }
}
