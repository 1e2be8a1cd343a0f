//! Archives with findings: a fatal one keeps an archive out of the store, the others stand wherever the checkpoint does.

use std::io::Read;

use gateway_node::{Dialect, Fault};
use http::StatusCode;
use serde_json::{Value, json};

use crate::archive_commands::told;
use crate::policies::{allowlist, component, governed};
use crate::storage::metadata;
use crate::support::receiver::Seen;
use crate::support::world::{PATH, set};
use crate::support::{Receiver, World};

/// The members of an archive, in its order.
type Members = Vec<(String, Vec<u8>)>;

/// CRIU's magic numbers of a page map, and its field numbers.
const PAGE_MAP: [u32; 2] = [0x5456_4319, 0x5608_4025];
const FLAGS: u8 = 4 << 3;
const IN_PARENT: u8 = 1;
const LAZY: u8 = 2;

/// The members of a checkpoint that the world's runtime writes.
async fn members(world: &World) -> Members {
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let path = answer.json()["items"][0].as_str().unwrap().to_owned();
    let mut archive = tar::Archive::new(std::fs::File::open(&path).unwrap());
    let members = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    });
    let members: Members = members.filter(|(name, _)| !name.ends_with('/')).collect();
    std::fs::remove_file(format!("{path}.json")).unwrap();
    std::fs::remove_file(path).unwrap();
    members
}

fn packed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        // As it is: the library would refuse `..`.
        let place = &mut header.as_old_mut().name[..name.len()];
        place.copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn without(members: &[(String, Vec<u8>)], prefix: &str) -> Members {
    let mut left = members.to_vec();
    left.retain(|(name, _)| !name.starts_with(prefix));
    assert_ne!(left.len(), members.len(), "{prefix}");
    left
}

fn with(members: &[(String, Vec<u8>)], name: &str, bytes: &[u8]) -> Members {
    let mut all = members.to_vec();
    all.retain(|(member, _)| member != name);
    all.push((name.to_owned(), bytes.to_vec()));
    all
}

fn twice(members: &[(String, Vec<u8>)], name: &str, bytes: &[u8]) -> Members {
    let mut all = members.to_vec();
    all.push((name.to_owned(), bytes.to_vec()));
    all
}

/// The same with one more page in the first page map, which lies elsewhere.
fn with_a_page(members: &[(String, Vec<u8>)], flag: u8) -> Members {
    with_a_run(members, &[flag, 5 << 3, 1])
}

/// The same with one more run of pages in the first page map, from its flags on.
fn with_a_run(members: &[(String, Vec<u8>)], rest: &[u8]) -> Members {
    let mut all = members.to_vec();
    let is_map = |(name, _): &&mut (String, Vec<u8>)| name.starts_with("checkpoint/pagemap-");
    let (_, map) = all.iter_mut().find(is_map).unwrap();
    assert!(map.starts_with(&PAGE_MAP.map(u32::to_le_bytes).concat()));
    let run = [&[1 << 3, 0, 2 << 3, 1, FLAGS], rest].concat();
    map.extend(u32::try_from(run.len()).unwrap().to_le_bytes());
    map.extend(run);
    all
}

fn document(members: &[(String, Vec<u8>)], name: &str) -> Value {
    let (_, bytes) = members.iter().find(|(member, _)| member == name).unwrap();
    serde_json::from_slice(bytes).unwrap()
}

/// An archive that must not be published, with the code of its first finding and words of its message.
type Unfit = (Members, &'static str, &'static str);

fn missing(members: &[(String, Vec<u8>)]) -> Vec<Unfit> {
    let without = |prefix, words| (without(members, prefix), "image-missing", words);
    vec![
        without("checkpoint/", "no memory"),
        without("checkpoint/inventory", "inventory"),
        without("checkpoint/pstree", "pstree"),
        without("checkpoint/mm-", "memory map"),
        without("checkpoint/pagemap-", "page map"),
        without("checkpoint/pages-1", "pages-1.img"),
    ]
}

fn broken(members: &[(String, Vec<u8>)]) -> Vec<Unfit> {
    let with = |name, bytes| with(members, name, bytes);
    let tree = with("checkpoint/pstree.img", b"CRIU");
    let pages = with("checkpoint/pages-1.img", &[0; 4096]);
    vec![
        (without(members, "spec.dump"), "spec-missing", "spec.dump"),
        (with("spec.dump", b"{"), "spec-missing", "spec.dump"),
        (tree, "image-unreadable", "pstree"),
        (pages, "page-count", "4096 bytes"),
        (
            with_a_page(members, IN_PARENT),
            "pages-in-parent",
            "1 pages",
        ),
        (with_a_page(members, LAZY), "pages-lazy", "1 pages"),
    ]
}

fn contradicting(members: &[(String, Vec<u8>)]) -> Vec<Unfit> {
    let changed = |name: &str, pointer: &str, text: &str| {
        let mut document = document(members, name);
        *document.pointer_mut(pointer).unwrap() = text.into();
        with(members, name, document.to_string().as_bytes())
    };
    let twice = |name: &str, bytes: &[u8]| twice(members, name, bytes);
    let status = changed("status.dump", "/labels/io.kubernetes.pod.name", "till-4");
    let uid = "/annotations/io.kubernetes.cri.sandbox-uid";
    let spec = changed("spec.dump", uid, "another");
    let config = changed("config.dump", "/name", "till_cart-0_shop_uid_0");
    vec![
        (status, "owner-conflict", "till-4"),
        (spec, "owner-conflict", "another"),
        (config, "owner-conflict", "till"),
        (twice("spec.dump", b"{}"), "member-twice", "spec.dump"),
        (twice("../escaped", b""), "name-escapes", "`escaped`"),
        (twice("/escaped", b""), "name-escapes", "`escaped`"),
    ]
}

fn outcome(world: &World) -> Value {
    world.audit().into_iter().next_back().unwrap()
}

#[tokio::test]
async fn refuses_archives_that_are_not_whole_or_of_another() {
    let receiver = Receiver::start().await;
    let endpoint = format!("http://{}", receiver.grpc);
    let world = World::with(|config| {
        set(config, "telemetry.otlp-endpoint", endpoint);
        // Each request needs the whole quota, which the one before must have given back.
        let one = toml::Value::try_from(json!({ "count": 1 })).unwrap();
        set(config, "quota.total", one);
    })
    .await;
    let members = members(&world).await;
    let unfit = [missing(&members), broken(&members), contradicting(&members)];
    for (archive, code, words) in unfit.into_iter().flatten() {
        world
            .node
            .behave(Fault::OtherArchive(packed(&archive).into()));
        let answer = world.client("alice").post(PATH).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{code}: {answer:?}");
        assert_eq!(answer.code(), "archive-incomplete");
        let problem = answer.json();
        let finding = &problem["findings"][0];
        assert_eq!(
            (&finding["code"], &finding["severity"]),
            (&json!(code), &json!("fatal"))
        );
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
        assert!(
            answer.detail().contains(&format!("{code}: {message}")),
            "{problem}"
        );
        assert_eq!(world.published(), Vec::<String>::new());
        let outcome = outcome(&world);
        assert_eq!(outcome["code"], "archive-incomplete");
        assert_eq!(outcome["findings"], problem["findings"]);
        assert!(outcome["sha256"].is_null(), "{outcome}");
    }
    // The last one's code and place.
    let traced = |seen: &Seen| {
        let findings = seen.attribute("checkpoint_gateway.archive.findings");
        seen.span.name == "archive" && findings.contains("name-escapes escaped")
    };
    receiver.wait(|spans| spans.iter().any(traced)).await;
}

#[tokio::test]
async fn redacted_archives_pass_the_same_check() {
    let redactor = json!({ "name": "environment", "file": component("redact-environment") });
    let world = World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        governed(config, &json!([allowlist(&["shop"]), redactor]));
    })
    .await;
    let members = members(&world).await;
    for (unfit, code) in [
        (without(&members, "checkpoint/mm-"), "image-missing"),
        (without(&members, "checkpoint/pages-1"), "image-missing"),
        (with_a_page(&members, IN_PARENT), "pages-in-parent"),
    ] {
        world
            .node
            .behave(Fault::OtherArchive(packed(&unfit).into()));
        let answer = world.client("alice").post(PATH).await;
        assert_eq!(answer.code(), "archive-incomplete", "{answer:?}");
        assert_eq!(answer.json()["findings"][0]["code"], code);
        assert_eq!(world.published(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn noteworthy_findings_stand_in_answer_metadata_and_record() {
    let world = World::new().await;
    let members = members(&world).await;
    let mut config = document(&members, "config.dump");
    config["rootfsImageRef"] = format!("sha256:{}", "7b".repeat(32)).into();
    let config = config.to_string();
    let archive = packed(&with(&members, "config.dump", config.as_bytes()));
    world.node.behave(Fault::OtherArchive(archive.into()));
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = answer.json();
    let [finding] = answer["findings"].as_array().unwrap().as_slice() else {
        panic!("{answer}");
    };
    assert_eq!(finding["code"], "base-image");
    assert_eq!(finding["place"], "config.dump");
    assert_eq!(finding["severity"], "noteworthy");
    let path = answer["items"][0].as_str().unwrap();
    let metadata = metadata(path.as_ref());
    assert_eq!(metadata["findings"], answer["findings"]);
    assert_eq!(outcome(&world)["findings"], answer["findings"]);
    let id = metadata["id"].as_str().unwrap();
    let shown = world
        .client("alice")
        .get(&format!("/v1/checkpoints/{id}"))
        .await;
    assert_eq!(shown.json()["findings"], answer["findings"]);
    assert_eq!(shown.json()["inspection"]["findings"], answer["findings"]);
}

#[tokio::test]
async fn an_ordinary_checkpoint_has_no_findings() {
    for dialect in [Dialect::Containerd, Dialect::CriO] {
        let world = World::beside(dialect, |_| {}).await;
        let answer = world.client("alice").post(PATH).await;
        assert_eq!(answer.json()["findings"], Value::Null, "{answer:?}");
        let path = answer.json()["items"][0].as_str().unwrap().to_owned();
        let verified = told(&["verify", &path]);
        assert_eq!(
            (&verified["ok"], &verified["findings"]),
            (&json!(true), &json!([]))
        );
    }
}

#[tokio::test]
async fn compressed_pages_are_refused_by_name_where_memory_is_searched() {
    let redactor = json!({ "name": "environment", "file": component("redact-environment") });
    for redacted in [true, false] {
        let world = World::with(|config| {
            set(config, "policy-engine.cache-directory", "");
            let policies = [allowlist(&["shop"]), redactor.clone()];
            let count = if redacted { 2 } else { 1 };
            governed(config, &json!(policies[..count]));
        })
        .await;
        // One page more, of nine bytes, without the list of lengths.
        let compressed = [4, 5 << 3, 1, 7 << 3, 9];
        let archive = packed(&with_a_run(&members(&world).await, &compressed));
        world.node.behave(Fault::OtherArchive(archive.into()));
        let answer = world.client("alice").post(PATH).await;
        if redacted {
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{answer:?}");
            assert!(answer.detail().contains("compressed"), "{answer:?}");
            assert_eq!(world.published(), Vec::<String>::new());
        } else {
            assert_eq!(answer.json()["findings"][0]["code"], "pages-compressed");
        }
    }
}

#[test]
fn docs_explain_every_finding() {
    let page = include_str!("../docs/findings.md");
    let document: Value = serde_json::from_str(gateway_server::openapi::text()).unwrap();
    let code = &document["components"]["schemas"]["Finding"]["properties"]["code"];
    let mut codes: Vec<_> = code["enum"].as_array().into_iter().flatten().collect();
    assert!(codes.len() > 20, "{code}");
    codes.retain(|code| !page.contains(&format!("`{}`", code.as_str().unwrap())));
    assert!(codes.is_empty(), "{codes:?}");
}
