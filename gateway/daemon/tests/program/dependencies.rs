//! Packages that the daemon must not link, found in cargo's resolved graph.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{CrateType, DependencyKind, Metadata, MetadataCommand, TargetKind};

/// For this platform alone: where nothing but this build has filled cargo's home, packages of other platforms are absent.
const OPTIONS: [&str; 4] = ["--locked", "--offline", "--filter-platform", "host-tuple"];

/// The embedded runtime, a certificate authority, tools for authors of policies, and a second cryptographic library.
const FORBIDDEN: [&str; 5] = [
    "gateway-node",
    "rcgen",
    "wit-component",
    "openssl",
    "openssl-sys",
];

/// Each package's normal dependencies, by name. Those of procedural macros are left out: they run in the compiler.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn graph(metadata: &Metadata) -> Graph {
    let packages: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package))
        .collect();
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let linked = nodes.iter().map(|node| {
        let package = packages[&node.id];
        let normal = node.deps.iter().filter(|dependency| {
            let mut kinds = dependency.dep_kinds.iter();
            kinds.any(|kind| kind.kind == DependencyKind::Normal)
        });
        let names = normal.map(|dependency| packages[&dependency.pkg].name.to_string());
        let runs_in_compiler = package
            .targets
            .iter()
            .any(|target| target.kind.contains(&TargetKind::ProcMacro));
        let names = if runs_in_compiler {
            BTreeSet::new()
        } else {
            names.collect()
        };
        (package.name.to_string(), names)
    });
    let mut graph = Graph::new();
    for (name, names) in linked {
        // Versions of one package count as one.
        graph.entry(name).or_default().extend(names);
    }
    graph
}

/// A chain of dependencies from `from` to `to`, both included.
fn chain(graph: &Graph, from: &str, to: &str) -> Option<Vec<String>> {
    let mut came_from = BTreeMap::from([(from, from)]);
    let mut open = vec![from];
    while let Some(package) = open.pop() {
        if package == to {
            let mut chain = vec![to.to_owned()];
            let mut at = to;
            while at != from {
                at = came_from[at];
                chain.insert(0, at.to_owned());
            }
            return Some(chain);
        }
        for next in graph.get(package).into_iter().flatten() {
            if !came_from.contains_key(next.as_str()) {
                came_from.insert(next, package);
                open.push(next);
            }
        }
    }
    None
}

#[test]
fn daemon_links_nothing_forbidden() {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(OPTIONS.map(str::to_owned).to_vec())
        .exec()
        .unwrap();
    let graph = graph(&metadata);
    assert!(chain(&graph, "gateway-daemon", "wasmtime").is_some());
    for package in FORBIDDEN {
        assert_eq!(chain(&graph, "gateway-daemon", package), None, "{package}");
    }
    // The names are right: all of them are somewhere in the workspace's graph.
    for package in ["gateway-node", "rcgen", "wit-component"] {
        assert!(
            chain(&graph, "gateway-ckpt", package).is_some(),
            "{package}"
        );
    }
}

#[test]
fn finds_a_planted_dependency() {
    let package = |name: &str, kind: TargetKind, dependency: Option<(&str, DependencyKind)>| {
        serde_json::json!({
            "package": {
                "name": name, "version": "1.0.0", "id": name, "dependencies": [], "features": {}, "manifest_path": "/x/Cargo.toml",
                "targets": [{ "name": name, "kind": [kind], "crate_types": [CrateType::Lib], "src_path": "/x/lib.rs" }],
            },
            "node": {
                "id": name, "dependencies": [], "features": [],
                "deps": dependency.into_iter().map(|(on, kind)| serde_json::json!({
                    "name": on, "pkg": on, "dep_kinds": [{ "kind": kind, "target": null }],
                })).collect::<Vec<_>>(),
            },
        })
    };
    let planted = |kind: TargetKind, edge: DependencyKind| {
        let parts = [
            package(
                "daemon",
                TargetKind::Bin,
                Some(("middle", DependencyKind::Normal)),
            ),
            package("middle", kind, Some(("rcgen", edge))),
            package("rcgen", TargetKind::Lib, None),
        ];
        let metadata = serde_json::json!({
            "packages": parts.iter().map(|part| &part["package"]).collect::<Vec<_>>(),
            "resolve": { "nodes": parts.iter().map(|part| &part["node"]).collect::<Vec<_>>(), "root": null },
            "workspace_members": [], "workspace_root": "/x", "target_directory": "/x/target", "version": 1, "metadata": null,
        });
        let metadata: Metadata = serde_json::from_value(metadata).unwrap();
        chain(&graph(&metadata), "daemon", "rcgen")
    };
    let found = Some(["daemon", "middle", "rcgen"].map(str::to_owned).to_vec());
    assert_eq!(planted(TargetKind::Lib, DependencyKind::Normal), found);
    assert_eq!(planted(TargetKind::Lib, DependencyKind::Build), None);
    assert_eq!(planted(TargetKind::Lib, DependencyKind::Development), None);
    assert_eq!(planted(TargetKind::ProcMacro, DependencyKind::Normal), None);
}
