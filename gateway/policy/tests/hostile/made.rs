//! Builds modules that no compiler would write: from text, from an altered contract, or damaged.

use std::fs::File;
use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve, WorldId};

use crate::world::guest;

const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v0.1.0/policy.wit");

/// A component of a world, in which each function only traps.
pub(crate) fn of_world(
    contract: impl FnOnce(String) -> String,
    more: &str,
    world: &str,
) -> Vec<u8> {
    let (resolve, world) = resolved(contract, more, world);
    encoded(
        dummy_module(&resolve, world, ManglingAndAbi::Standard32),
        &resolve,
        world,
    )
}

/// An authorizer whose core module contains `items`.
pub(crate) fn of_core(items: &str) -> Vec<u8> {
    let (resolve, world) = resolved(|contract| contract, "", "authorizer");
    let text = format!(
        r#"(module
            (func (export "checkpoint-gateway:policy/settings@0.1.0#schema") (result i32) unreachable)
            (func (export "checkpoint-gateway:policy/authorization@0.1.0#authorize") (param i32) (result i32) unreachable)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
            {items})"#
    );
    encoded(wat::parse_str(text).unwrap(), &resolve, world)
}

pub(crate) fn of_text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// The hostile authorizer, altered.
pub(crate) fn altered(alter: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    alter(std::fs::read(guest("authorizer")).unwrap())
}

/// A file of `bytes` in `folder`.
pub(crate) fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(format!("{name}.wasm"));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A sparse file of 300 MB.
pub(crate) fn vast(folder: &Path) -> PathBuf {
    let path = file(folder, "vast", &altered(|bytes| bytes));
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(300_000_000)
        .unwrap();
    path
}

fn resolved(
    contract: impl FnOnce(String) -> String,
    more: &str,
    world: &str,
) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let contract = contract(std::fs::read_to_string(CONTRACT).unwrap());
    let mut package = resolve.push_str("policy.wit", &contract).unwrap();
    if !more.is_empty() {
        package = resolve.push_str("more.wit", more).unwrap();
    }
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    (resolve, world)
}

fn encoded(mut core: Vec<u8>, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    embed_component_metadata(&mut core, resolve, world, StringEncoding::UTF8, true).unwrap();
    ComponentEncoder::default()
        .module(&core)
        .unwrap()
        .encode()
        .unwrap()
}
