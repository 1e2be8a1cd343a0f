//! Findings about names and headers: whose archive it is, and members that are no ordinary files.

use std::io::Cursor;

use gateway_core::FindingCode;
use gateway_redact::{Owner, findings};
use proptest::prelude::*;

use crate::findings::{fatal, look, members, with};
use crate::specimen::tar;

#[test]
fn documents_and_metadata_must_name_one_container() {
    let label = |key: &str, name: &str| {
        format!(r#"{{"labels":{{"io.kubernetes.{key}":"{name}"}}}}"#).into_bytes()
    };
    for (key, name, conflicts) in [
        ("pod.name", "cart-0", false),
        ("pod.name", "till-4", true),
        ("pod.namespace", "bank", true),
        ("container.name", "till", true),
        ("pod.name", "******", false),
    ] {
        let found = fatal(&with("status.dump", label(key, name)));
        assert_eq!(found.contains(&FindingCode::OwnerConflict), conflicts);
    }
    let archive = tar(&members());
    for (target, conflicts) in [
        ("shop/cart-0/app", 0),
        ("shop/cart-0/till", 1),
        ("bank/till-4/app", 2),
    ] {
        let target = target.parse().unwrap();
        let owner = Owner {
            target: &target,
            pod_uid: "",
            named_by: "the request",
        };
        let found = findings(&mut Cursor::new(&archive), Some(owner)).unwrap();
        assert_eq!(found.len(), conflicts, "{found:?}");
    }
}

/// A specification as CRI-O writes it, with this annotation more.
fn annotated(key: &str, text: &str) -> Vec<u8> {
    let spec = serde_json::json!({ "annotations": {
        "io.kubernetes.cri-o.KubeName": "cart-0",
        "io.kubernetes.cri-o.Namespace": "shop",
        "io.kubernetes.container.name": "app",
        "io.kubernetes.pod.uid": "u-1",
        key: text,
    }});
    with("spec.dump", spec.to_string().into_bytes())
}

#[test]
fn every_statement_of_a_name_is_compared() {
    for (key, text, other) in [
        (
            "io.kubernetes.cri-o.Labels",
            r#"{"io.kubernetes.pod.name":"cart-0"}"#,
            "",
        ),
        (
            "io.kubernetes.cri-o.Labels",
            r#"{"io.kubernetes.pod.name":"till-4"}"#,
            "till-4",
        ),
        (
            "io.kubernetes.cri-o.Labels",
            r#"{"io.kubernetes.pod.uid":"u-2"}"#,
            "u-2",
        ),
        (
            "io.kubernetes.cri-o.Metadata",
            r#"{"Name":"app","Attempt":1}"#,
            "",
        ),
        ("io.kubernetes.cri-o.Metadata", r#"{"Name":"till"}"#, "till"),
        ("io.kubernetes.cri-o.Name", "k8s_app_cart-0_shop_u-1_0", ""),
        (
            "io.kubernetes.cri-o.Name",
            "k8s_app_cart-0_shop_u-2_0",
            "u-2",
        ),
        (
            "io.kubernetes.cri-o.SandboxName",
            "k8s_cart-0_shop_u-1_0",
            "",
        ),
        (
            "io.kubernetes.cri-o.SandboxName",
            "k8s_cart-0_bank_u-1_0",
            "bank",
        ),
        ("io.kubernetes.cri.sandbox-uid", "u-2", "u-2"),
        ("example.com/owner", "till-4", ""),
    ] {
        let found = look(&annotated(key, text));
        assert_eq!(found.is_empty(), other.is_empty(), "{key} {found:?}");
        let message = found.first().map_or("", |finding| finding.message.as_str());
        assert!(message.contains(other), "{message}");
    }
    let config = br#"{"name":"app_cart-0_bank_u-1_0","rootfsImageName":"a:1"}"#.to_vec();
    assert_eq!(
        fatal(&with("config.dump", config)),
        [FindingCode::OwnerConflict]
    );
}

#[test]
fn the_uid_of_the_request_is_compared() {
    let owner = "shop/cart-0/app".parse().unwrap();
    let owner = Owner {
        target: &owner,
        pod_uid: "u-9",
        named_by: "the request",
    };
    let archive = annotated("x", "");
    let found = findings(&mut Cursor::new(&archive), Some(owner)).unwrap();
    let message = "the request names the pod uid `u-9`, and spec.dump names another: `u-1`";
    assert!(found.len() == 1 && found[0].message == message, "{found:?}");
}

#[test]
fn a_restored_container_may_be_called_containerd() {
    let spec = br#"{"annotations":{"io.kubernetes.cri.container-name":"containerd"}}"#;
    for (restored, name, conflicts) in [
        ("true", "app", false),
        ("false", "app", true),
        ("true", "till", true),
    ] {
        let status = format!(
            r#"{{"metadata":{{"name":"{name}"}},"annotations":{{"restored":"{restored}"}}}}"#
        );
        let mut members = members();
        members.retain(|(name, _)| name != "spec.dump" && name != "status.dump");
        members.push(("spec.dump".to_owned(), spec.to_vec()));
        members.push(("status.dump".to_owned(), status.into_bytes()));
        let target = "shop/cart-0/app".parse().unwrap();
        let owner = Owner {
            target: &target,
            pod_uid: "",
            named_by: "the request",
        };
        let found = findings(&mut Cursor::new(tar(&members)), Some(owner)).unwrap();
        let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
        let expected: &[_] = if conflicts {
            &[FindingCode::OwnerConflict]
        } else {
            &[]
        };
        assert_eq!(codes, expected, "{found:?}");
    }
}

/// An archive with a member that the library would not write.
fn with_header(name: &str, kind: tar::EntryType, mode: u32, link: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(0);
    header.set_cksum();
    [header.as_bytes().as_slice(), &tar(&members())].concat()
}

#[test]
fn links_devices_and_folder_modes_among_members_are_noted() {
    use tar::EntryType as Kind;
    for (name, kind, mode, link, code) in [
        (
            "checkpoint/parent",
            Kind::Symlink,
            0o777,
            "../parent-0",
            FindingCode::Link,
        ),
        ("extra", Kind::Link, 0o600, "spec.dump", FindingCode::Link),
        ("extra", Kind::Fifo, 0o600, "", FindingCode::Device),
        ("extra", Kind::Char, 0o600, "", FindingCode::Device),
        (
            "checkpoint/",
            Kind::Directory,
            0o600,
            "",
            FindingCode::FolderMode,
        ),
    ] {
        let found = look(&with_header(name, kind, mode, link));
        assert!(found.len() == 1 && !found[0].is_fatal(), "{found:?}");
        assert_eq!(found[0].code, code);
        assert!(
            found[0].message.contains(name.trim_end_matches('/')),
            "{found:?}"
        );
    }
    let found = look(&with_header("checkpoint/", Kind::Directory, 0o700, ""));
    assert_eq!(found, []);
}

#[test]
fn a_link_is_no_document_and_no_image() {
    for (name, code) in [
        ("spec.dump", FindingCode::SpecMissing),
        ("checkpoint/inventory.img", FindingCode::ImageMissing),
        ("checkpoint/mm-17.img", FindingCode::ImageMissing),
    ] {
        let mut left = members();
        left.retain(|(member, _)| member != name);
        let archive = with_header(name, tar::EntryType::Symlink, 0o777, "elsewhere");
        let header = &archive[..512];
        assert_eq!(fatal(&[header, &tar(&left)].concat()), [code], "{name}");
    }
}

/// Members whose contents findings read, by name.
const READ: [&str; 12] = [
    "spec.dump",
    "config.dump",
    "status.dump",
    "rootfs-diff.tar",
    "checkpoint/pstree.img",
    "checkpoint/inventory.img",
    "checkpoint/core-1.img",
    "checkpoint/core-2.img",
    "checkpoint/mm-1.img",
    "checkpoint/pagemap-1.img",
    "checkpoint/pages-1.img",
    "../escaped",
];

proptest! {
    #[test]
    fn findings_of_any_members_are_bounded_lines(
        chosen in prop::collection::vec((0..READ.len(), 0usize..8, prop::collection::vec(any::<u8>(), 0..60)), 0..300),
    ) {
        let mut archive = Vec::new();
        for (name, kind, contents) in chosen {
            let mut header = tar::Header::new_ustar();
            let name = READ[name];
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.as_old_mut().linkflag = [b"00000235"[kind]];
            header.set_size(contents.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.extend(header.as_bytes());
            archive.extend(&contents);
            archive.resize(archive.len().next_multiple_of(512), 0);
        }
        archive.extend([0; 1024]);
        let found = findings(&mut Cursor::new(&archive), None);
        for finding in found.iter().flatten() {
            prop_assert!(finding.message.len() <= 1027 && finding.place.len() <= 259);
            prop_assert!(!finding.message.chars().any(char::is_control));
        }
        prop_assert!(found.map_or(0, |found| found.len()) <= 201);
    }
}
