//! Reads a crate's files, from its root along the `mod` declarations, into a list of modules.

use std::mem;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item};

use super::ReadFile;
use super::module::{Mention, Module, ModuleId, Name};
use super::paths::{self, Leaf};
use super::skipped;

/// All modules of the crate, the root first.
pub(crate) fn modules_of(root_file: &Path, read: ReadFile<'_>) -> Vec<Module> {
    let mut reader = Reader {
        read,
        modules: vec![Module::default()],
        current: 0,
        folder: root_file.parent().unwrap().to_owned(),
        inline: false,
    };
    reader.read_file(root_file);
    reader.modules
}

/// Visits the syntax of the current module; a `mod` inside is visited in its place.
struct Reader<'a> {
    read: ReadFile<'a>,
    modules: Vec<Module>,
    current: ModuleId,
    /// Where files of the current module's children are looked for.
    folder: PathBuf,
    /// Whether the current module stands inside another one's file.
    inline: bool,
}

impl Reader<'_> {
    fn read_file(&mut self, file: &Path) {
        file.clone_into(&mut self.modules[self.current].file);
        let text = (self.read)(file).unwrap_or_else(|| panic!("cannot read {}", file.display()));
        let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        self.visit_file(&syntax);
    }

    /// Goes into a child module, and comes back.
    fn enter(&mut self, item: &syn::ItemMod) {
        let name = paths::plain(&item.ident);
        let child = self.add_child(&name);
        let parent = mem::replace(&mut self.current, child);
        let inline = mem::replace(&mut self.inline, item.content.is_some());
        let folder = self.folder.clone();
        self.folder.push(&name);
        if let Some((_, items)) = &item.content {
            for item in items {
                self.visit_item(item);
            }
        } else {
            let file = self.file_of(item, &folder, inline, parent);
            self.read_file(&file);
        }
        self.current = parent;
        self.inline = inline;
        self.folder = folder;
    }

    fn add_child(&mut self, name: &str) -> ModuleId {
        let (parent, id) = (self.current, self.modules.len());
        let mut path = self.modules[parent].path.clone();
        path.push(name.to_owned());
        self.modules[parent].define(name.to_owned(), Name::Module(id));
        self.modules.push(Module {
            path,
            parent: Some(parent),
            file: self.modules[parent].file.clone(),
            ..Module::default()
        });
        id
    }

    /// `folder/name.rs` or `folder/name/mod.rs`, unless an attribute names another file.
    fn file_of(
        &mut self,
        item: &syn::ItemMod,
        folder: &Path,
        inline: bool,
        parent: ModuleId,
    ) -> PathBuf {
        if let Some(named) = skipped::path_attribute(&item.attrs) {
            let beside = self.modules[parent].file.parent().unwrap();
            let file = if inline { folder } else { beside }.join(named);
            file.parent().unwrap().clone_into(&mut self.folder);
            return file;
        }
        let flat = self.folder.with_extension("rs");
        if (self.read)(&flat).is_some() {
            return flat;
        }
        self.folder.join("mod.rs")
    }

    fn module(&mut self) -> &mut Module {
        &mut self.modules[self.current]
    }

    fn mention(&mut self, mention: Mention) {
        self.module().mentions.push(mention);
    }

    fn mention_tokens(&mut self, tokens: &proc_macro2::TokenStream) {
        let found = paths::of_tokens(tokens.clone());
        self.module().mentions.extend(found);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes_of(item).is_some_and(skipped::only_in_tests) {
            return;
        }
        if let Some(name) = defined_name(item) {
            self.module().define(paths::plain(name), Name::Item);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.enter(item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for leaf in paths::of_use(item) {
            match leaf {
                Leaf::Named(path, name) => {
                    self.mention(path.clone());
                    self.module().define(name, Name::Import(path));
                }
                Leaf::Glob(path) => {
                    self.mention(path.clone());
                    self.module().globs.push(path);
                }
            }
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if let syn::ImplItem::Fn(function) = item
            && skipped::only_in_tests(&function.attrs)
        {
            return;
        }
        visit::visit_impl_item(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mention(paths::of_path(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        visit::visit_macro(self, invocation);
        self.mention_tokens(&invocation.tokens);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if !skipped::names_items(attribute) {
            return;
        }
        self.mention(paths::of_path(attribute.path()));
        if let syn::Meta::List(list) = &attribute.meta {
            self.mention_tokens(&list.tokens);
        }
    }

    /// `pub(in crate::part)` uses nothing of that module.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn attributes_of(item: &Item) -> Option<&[Attribute]> {
    Some(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => return None,
    })
}

fn defined_name(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}
