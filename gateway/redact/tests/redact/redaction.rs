//! Redaction of whole archives.

use gateway_core::{Place, Plan};
use gateway_redact::Redaction;
use tar::{EntryType, Header};

use crate::plans::{hide_variables, redact, rule};
use crate::specimen::Runtime;
use crate::support::{drop_entry, literal, one, only, tar_of, variables};

#[test]
fn changes_nothing_where_nothing_is_found() {
    for runtime in [Runtime::Containerd, Runtime::CriO] {
        let archive = variables().archive(runtime);
        for plan in [
            Plan::default(),
            hide_variables("NOT_THERE"),
            drop_entry("rootfs-diff.tar:/etc/shadow"),
        ] {
            let (redacted, summary) = redact(
                Redaction {
                    plan,
                    ..Redaction::default()
                },
                &archive,
            )
            .unwrap();
            assert!(redacted == archive, "{runtime:?}");
            assert_eq!(summary.passes, 1);
        }
    }
}

#[test]
fn links_and_devices_are_never_followed() {
    let kinds = [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Fifo,
        EntryType::Directory,
    ];
    for kind in kinds {
        let archive = tar_of(&[("spec.dump", kind, b""), ("../../etc/cron.d/x", kind, b"")]);
        let (redacted, _) = redact(
            Redaction {
                plan: hide_variables("*"),
                ..Redaction::default()
            },
            &archive,
        )
        .unwrap();
        assert!(redacted == archive);
    }
}

#[test]
fn sparse_members_are_searched_as_stored_or_refused() {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(11);
    for (name, fits) in [
        ("container.log", true),
        ("spec.dump", false),
        ("checkpoint/pages-1.img", false),
    ] {
        let mut builder = tar::Builder::new(Vec::new());
        builder
            .append_data(&mut header, name, &b"open sesame"[..])
            .unwrap();
        let archive = builder.into_inner().unwrap();
        let plan = Plan {
            mask: vec![rule("rule", literal("sesame"))],
            ..Plan::default()
        };
        let outcome = redact(
            Redaction {
                plan,
                ..Redaction::default()
            },
            &archive,
        );
        assert_eq!(outcome.is_ok(), fits, "{name}");
        assert!(
            outcome.is_err()
                || outcome
                    .unwrap()
                    .0
                    .windows(11)
                    .any(|window| window == b"open ******")
        );
    }
}

#[test]
fn searches_extended_attributes() {
    let record = b"38 SCHILY.xattr.user.key=open-sesame\n\n";
    let archive = [
        tar_of(&[("x", EntryType::XHeader, record)]),
        one("rootfs-diff.tar", b""),
    ]
    .concat();
    let archive = [&archive[..1024], &archive[2048..]].concat();
    let plan = only(Place::Logs, literal("sesame"));
    let (redacted, _) = redact(
        Redaction {
            plan,
            ..Redaction::default()
        },
        &archive,
    )
    .unwrap();
    assert!(redacted.windows(11).any(|window| window == b"open-******"));
}
