//! Paths out of syntax: `use` trees, plain paths, and token streams of macros.

use proc_macro2::{TokenStream, TokenTree};
use syn::UseTree;

use super::module::Mention;

/// One leaf of a `use` tree.
pub(crate) enum Leaf {
    /// `use a::b as c`: the path, and the name that it gets.
    Named(Mention, String),
    /// `use a::*`: the path before the star.
    Glob(Mention),
}

pub(crate) fn of_path(path: &syn::Path) -> Mention {
    Mention {
        external: path.leading_colon.is_some(),
        segments: path
            .segments
            .iter()
            .map(|part| plain(&part.ident))
            .collect(),
    }
}

/// The leaves of a `use` item.
pub(crate) fn of_use(item: &syn::ItemUse) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let start = Mention {
        external: item.leading_colon.is_some(),
        segments: Vec::new(),
    };
    descend(&item.tree, &start, &mut leaves);
    leaves
}

fn descend(tree: &UseTree, before: &Mention, leaves: &mut Vec<Leaf>) {
    match tree {
        UseTree::Path(path) => descend(&path.tree, &extended(before, &path.ident), leaves),
        UseTree::Group(group) => {
            for tree in &group.items {
                descend(tree, before, leaves);
            }
        }
        UseTree::Glob(_) => leaves.push(Leaf::Glob(before.clone())),
        UseTree::Name(name) => leaves.push(named(before, &name.ident, &name.ident)),
        UseTree::Rename(rename) => leaves.push(named(before, &rename.ident, &rename.rename)),
    }
}

/// `use a::{self}` names `a` itself.
fn named(before: &Mention, name: &syn::Ident, gets: &syn::Ident) -> Leaf {
    if name != "self" || before.segments.is_empty() {
        return Leaf::Named(extended(before, name), plain(gets));
    }
    let last = before.segments.last().cloned().unwrap_or_default();
    let gets = if gets == "self" { last } else { plain(gets) };
    Leaf::Named(before.clone(), gets)
}

fn extended(before: &Mention, name: &syn::Ident) -> Mention {
    let mut longer = before.clone();
    longer.segments.push(plain(name));
    longer
}

/// Every `name::name...` in a macro's tokens, whatever the macro makes of them.
pub(crate) fn of_tokens(tokens: TokenStream) -> Vec<Mention> {
    let mut found = Vec::new();
    scan(tokens, &mut found);
    found
}

fn scan(tokens: TokenStream, found: &mut Vec<Mention>) {
    let mut segments: Vec<String> = Vec::new();
    // Colons since the last name: two of them continue its path.
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 {
                    finish(&mut segments, found);
                }
                segments.push(plain(&name));
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                finish(&mut segments, found);
                scan(group.stream(), found);
                colons = 0;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {
                finish(&mut segments, found);
                colons = 0;
            }
        }
    }
    finish(&mut segments, found);
}

fn finish(segments: &mut Vec<String>, found: &mut Vec<Mention>) {
    if !segments.is_empty() {
        let segments = std::mem::take(segments);
        found.push(Mention {
            external: false,
            segments,
        });
    }
}

/// The name without `r#`.
pub(crate) fn plain(name: &syn::Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}
