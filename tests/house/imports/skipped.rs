//! Attributes that decide whether something is looked at.

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// Whether the item exists in tests only: `#[cfg(test)]`, `#[cfg(all(test, ...))]` or `#[test]`.
pub(crate) fn only_in_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute
                    .parse_args()
                    .is_ok_and(|condition| requires_test(&condition)))
    })
}

fn requires_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|parts| parts.iter().any(requires_test)),
        Meta::List(_) | Meta::NameValue(_) => false,
    }
}

/// Whether the attribute's text can name items of the crate, as clap's `value_parser = crate::parse` does.
pub(crate) fn names_items(attribute: &Attribute) -> bool {
    let silent = ["allow", "cfg", "doc", "expect", "path", "warn"];
    !silent.iter().any(|name| attribute.path().is_ident(name))
}

/// The file that `#[path = "..."]` names.
pub(crate) fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    let syn::Expr::Lit(literal) = &attribute.meta.require_name_value().ok()?.value else {
        return None;
    };
    let syn::Lit::Str(file) = &literal.lit else {
        return None;
    };
    Some(file.value())
}
