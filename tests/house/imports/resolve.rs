//! Finds the modules that define the names of a path, through imports, re-exports and `*`.

use std::collections::BTreeSet;

use super::module::{Mention, Module, ModuleId, Name};

/// Looks names up in the modules of one crate.
pub(crate) struct Names<'a> {
    modules: &'a [Module],
}

/// What a path leads to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Module(ModuleId),
    Item(ModuleId, String),
}

/// Look-ups under way, so that imports of each other end.
type Seen = BTreeSet<(ModuleId, String)>;

impl<'a> Names<'a> {
    pub(crate) fn new(modules: &'a [Module]) -> Self {
        Self { modules }
    }

    /// The modules that define what `mention` in module `from` means, each with the name; none if it is another crate's.
    pub(crate) fn defined_by(&self, from: ModuleId, mention: &Mention) -> Vec<(ModuleId, String)> {
        let found = self.resolve(from, mention, &mut Seen::new());
        let end = |found| match found {
            Found::Item(module, name) => Some((module, name)),
            // A single name that is a module's is more often a variable.
            Found::Module(_) if mention.segments.len() < 2 => None,
            Found::Module(module) => Some((module, "the module".to_owned())),
        };
        found.into_iter().filter_map(end).collect()
    }

    fn resolve(&self, from: ModuleId, mention: &Mention, seen: &mut Seen) -> BTreeSet<Found> {
        if mention.external {
            return BTreeSet::new();
        }
        let mut segments = mention.segments.iter().map(String::as_str).peekable();
        let mut module = from;
        let mut anchored = false;
        while let Some(step) = segments.peek().and_then(|name| self.step(module, name)) {
            module = step;
            anchored = true;
            segments.next();
        }
        let rest: Vec<_> = segments.collect();
        self.descend(module, &rest, anchored, seen)
    }

    /// `crate`, `self` and `super` at the beginning of a path.
    fn step(&self, module: ModuleId, name: &str) -> Option<ModuleId> {
        match name {
            "crate" => Some(0),
            "self" => Some(module),
            "super" => self.modules[module].parent,
            _ => None,
        }
    }

    /// `anchored`: the path so far names a module of this crate, so what is not found in it is made there by a macro.
    fn descend(
        &self,
        module: ModuleId,
        rest: &[&str],
        anchored: bool,
        seen: &mut Seen,
    ) -> BTreeSet<Found> {
        let Some((name, rest)) = rest.split_first() else {
            return BTreeSet::from([Found::Module(module)]);
        };
        let mut ends = BTreeSet::new();
        for found in self.look_up(module, name, seen) {
            match found {
                Found::Module(inner) => ends.extend(self.descend(inner, rest, true, seen)),
                item @ Found::Item(..) => {
                    ends.insert(item);
                }
            }
        }
        if ends.is_empty() && anchored && !self.modules[module].names.contains_key(*name) {
            ends.insert(Found::Item(module, (*name).to_owned()));
        }
        ends
    }

    /// A name in a module: its own, imported, or through a `*`.
    fn look_up(&self, module: ModuleId, name: &str, seen: &mut Seen) -> BTreeSet<Found> {
        if !seen.insert((module, name.to_owned())) {
            return BTreeSet::new();
        }
        let mut found = BTreeSet::new();
        for meaning in self.modules[module].names.get(name).into_iter().flatten() {
            match meaning {
                Name::Module(inner) => found.extend([Found::Module(*inner)]),
                Name::Item => found.extend([Found::Item(module, name.to_owned())]),
                Name::Import(path) => {
                    let through = self.resolve(module, path, seen);
                    found.extend(Self::with_reexporter(module, name, through));
                }
            }
        }
        if found.is_empty() {
            for glob in &self.modules[module].globs {
                let through = self.through_glob(module, glob, name, seen);
                found.extend(Self::with_reexporter(module, name, through));
            }
        }
        seen.remove(&(module, name.to_owned()));
        found
    }

    fn through_glob(
        &self,
        module: ModuleId,
        glob: &Mention,
        name: &str,
        seen: &mut Seen,
    ) -> BTreeSet<Found> {
        let sources = self.resolve(module, glob, seen);
        let modules = sources.into_iter().filter_map(|source| match source {
            Found::Module(source) => Some(source),
            Found::Item(..) => None,
        });
        modules
            .flat_map(|source| self.look_up(source, name, seen))
            .collect()
    }

    /// A module that re-exports a name is used, too.
    fn with_reexporter(module: ModuleId, name: &str, through: BTreeSet<Found>) -> BTreeSet<Found> {
        let mut all = through;
        if !all.is_empty() {
            all.insert(Found::Item(module, name.to_owned()));
        }
        all
    }
}
