//! Turns a core module, which rustc builds, into a component, which the gateway loads.

use anyhow::{Context, bail};
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{Resolve, WorldItem, WorldKey};

use super::kind::Kind;

/// The prefix of every interface that a policy may import or export.
const PACKAGE: &str = "checkpoint-gateway:policy/";

/// A component that implements a world of the contract.
pub(super) struct Component {
    pub(super) bytes: Vec<u8>,
    pub(super) kind: Kind,
    /// The interfaces with functions that it imports, without the contract's package and version.
    pub(super) imports: Vec<String>,
}

/// Turns a core module with wit-bindgen's metadata into a component.
pub(super) fn componentize(module: &[u8]) -> anyhow::Result<Component> {
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .context("the module has no interfaces: use `export_authorizer!` or `export_redactor!`")?
        .encode()
        .context("the module does not implement its interfaces")?;
    let DecodedWasm::Component(resolve, world) =
        wit_component::decode(&bytes).context("the component cannot be read back")?
    else {
        bail!("the result is not a component");
    };
    let world = resolve
        .worlds
        .get(world)
        .context("the component has no world")?;
    Ok(Component {
        kind: kind(&names(&resolve, world.exports.iter()))?,
        imports: allowed(&names(&resolve, world.imports.iter()))?,
        bytes,
    })
}

/// The names of interfaces with functions. The contract's types are imported too, but have no functions.
fn names<'a>(
    resolve: &Resolve,
    items: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> Vec<String> {
    let calls = |item: &WorldItem| match item {
        WorldItem::Interface { id, .. } => resolve
            .interfaces
            .get(*id)
            .is_none_or(|interface| !interface.functions.is_empty()),
        WorldItem::Function(_) => true,
        WorldItem::Type { .. } => false,
    };
    items
        .filter(|(_, item)| calls(item))
        .map(|(key, _)| resolve.name_world_key(key))
        .collect()
}

fn kind(exports: &[String]) -> anyhow::Result<Kind> {
    let exported = |interface| {
        exports
            .iter()
            .filter_map(|name| own(name))
            .any(|name| name == interface)
    };
    match (
        exported("settings"),
        exported("authorization"),
        exported("redaction"),
    ) {
        (true, true, false) => Ok(Kind::Authorizer),
        (true, false, true) => Ok(Kind::Redactor),
        _ => bail!(
            "it exports {}, which is neither an authorizer nor a redactor",
            listed(exports)
        ),
    }
}

fn allowed(imports: &[String]) -> anyhow::Result<Vec<String>> {
    let foreign: Vec<_> = imports
        .iter()
        .filter(|name| own(name) != Some("logging"))
        .cloned()
        .collect();
    if !foreign.is_empty() {
        bail!(
            "it imports {}: a policy may only import logging",
            listed(&foreign)
        );
    }
    Ok(imports
        .iter()
        .filter_map(|name| own(name))
        .map(str::to_owned)
        .collect())
}

/// The interface's name in the contract, without package and version.
fn own(name: &str) -> Option<&str> {
    let name = name.strip_prefix(PACKAGE)?;
    Some(
        name.split_once('@')
            .map_or(name, |(interface, _)| interface),
    )
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_module_without_interfaces() {
        assert!(componentize(b"\0asm\x01\0\0\0").is_err());
        assert!(componentize(b"not wasm").is_err());
    }

    #[test]
    fn refuses_imports_other_than_logging() {
        let imports = |names: &[&str]| {
            allowed(
                &names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(imports(&[]).unwrap(), Vec::<String>::new());
        assert_eq!(
            imports(&["checkpoint-gateway:policy/logging@0.1.0"]).unwrap(),
            ["logging"]
        );
        let refused = imports(&["wasi:sockets/tcp@0.2.0"])
            .unwrap_err()
            .to_string();
        assert!(refused.contains("wasi:sockets/tcp@0.2.0"), "{refused}");
    }

    #[test]
    fn finds_the_kind_by_the_exports() {
        let of = |names: &[&str]| {
            kind(
                &names
                    .iter()
                    .map(|name| format!("{PACKAGE}{name}@0.1.0"))
                    .collect::<Vec<_>>(),
            )
            .ok()
        };
        assert_eq!(of(&["settings", "authorization"]), Some(Kind::Authorizer));
        assert_eq!(of(&["settings", "redaction"]), Some(Kind::Redactor));
        assert_eq!(of(&["authorization"]), None);
        assert_eq!(of(&["settings", "authorization", "redaction"]), None);
    }
}
