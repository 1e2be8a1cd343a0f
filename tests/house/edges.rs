//! Which crate may depend on which (ARCHITECTURE.md), and which crates may name heavy packages.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::DependencyKind;

use crate::workspaces::metadata;

/// Each package of ours with those of ours that it may depend on. What is not listed is forbidden.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("gateway-core", &[]),
    ("gateway-files", &[]),
    ("gateway-proto", &[]),
    ("gateway-policy", &["gateway-core", "gateway-files"]),
    ("gateway-cri", &["gateway-core", "gateway-proto"]),
    ("gateway-redact", &["gateway-core"]),
    (
        "gateway-archive",
        &["gateway-core", "gateway-files", "gateway-redact"],
    ),
    ("gateway-audit", &["gateway-core", "gateway-files"]),
    ("gateway-node", &["gateway-core", "gateway-proto"]),
    (
        "gateway-server",
        &[
            "gateway-core",
            "gateway-files",
            "gateway-policy",
            "gateway-cri",
            "gateway-redact",
            "gateway-archive",
            "gateway-audit",
        ],
    ),
    ("gateway-daemon", &["gateway-server"]),
    (
        "gateway-ckpt",
        &[
            "gateway-core",
            "gateway-files",
            "gateway-server",
            "gateway-node",
            "gateway-redact",
            "gateway-archive",
            "gateway-audit",
            "gateway-policy",
        ],
    ),
];

/// Heavy or delicate packages, each with the only crates that may name them.
const FENCED: [(&str, &[&str]); 11] = [
    ("age", &["gateway-archive"]),
    ("age-core", &["gateway-archive"]),
    ("fearless_simd", &["gateway-redact"]),
    ("memchr", &["gateway-redact"]),
    ("regex-automata", &["gateway-redact"]),
    ("wasmtime", &["gateway-policy"]),
    ("tonic", &["gateway-proto", "gateway-cri", "gateway-node"]),
    ("rustls", &["gateway-server", "gateway-ckpt"]),
    ("jsonwebtoken", &["gateway-server", "gateway-ckpt"]),
    ("opentelemetry", &["gateway-server", "gateway-ckpt"]),
    (
        "tokio",
        &[
            "gateway-cri",
            "gateway-archive",
            "gateway-audit",
            "gateway-server",
            "gateway-node",
            "gateway-daemon",
            "gateway-ckpt",
        ],
    ),
];

/// The normal dependencies of each package of ours.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let package = |package: &cargo_metadata::Package| {
        let named = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal);
        (
            package.name.to_string(),
            named.map(|dependency| dependency.name.clone()).collect(),
        )
    };
    metadata("Cargo.toml")
        .packages
        .iter()
        .map(package)
        .collect()
}

#[test]
fn crates_import_only_what_they_may() {
    let dependencies = dependencies();
    let known: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    assert_eq!(
        dependencies.keys().map(String::as_str).collect::<Vec<_>>(),
        known.keys().copied().collect::<Vec<_>>()
    );
    for (importer, imports) in dependencies {
        let ours = imports
            .iter()
            .filter(|name| known.contains_key(name.as_str()));
        for import in ours {
            assert!(
                known[importer.as_str()].contains(&import.as_str()),
                "{importer} must not import {import}"
            );
        }
    }
}

#[test]
fn heavy_packages_stay_fenced() {
    for (importer, imports) in dependencies() {
        for (package, importers) in FENCED {
            assert!(
                !imports.contains(package) || importers.contains(&importer.as_str()),
                "{importer} must not name {package}"
            );
        }
    }
}

#[test]
fn the_core_is_pure() {
    let allowed = [
        "jiff",
        "schemars",
        "serde",
        "serde_json",
        "thiserror",
        "uuid",
    ];
    let core = &dependencies()["gateway-core"];
    assert!(
        core.iter().all(|name| allowed.contains(&name.as_str())),
        "{core:?}"
    );
}
