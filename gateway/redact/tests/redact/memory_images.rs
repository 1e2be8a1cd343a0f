//! Masking of memory: environments in pages, whatever order the images come in.

use std::io::Cursor;

use gateway_core::{FindingCode, Masked, Place};
use gateway_redact::{EnvValue, Error, Redaction, verify};
use serde_json::json;

use crate::plans::{hide_variables, redact};
use crate::specimen::{PAGE, Runtime, image, laid_open, message, tar};
use crate::support::{literal, one, only, run, variables};

#[test]
fn masks_short_values_in_environments_only() {
    for runtime in [Runtime::Containerd, Runtime::CriO] {
        let mut specimen = variables();
        specimen.log.extend(b"number 123\n");
        let redaction = Redaction {
            plan: hide_variables("PIN"),
            ..Redaction::default()
        };
        let (redacted, summary) = redact(redaction, &specimen.archive(runtime)).unwrap();
        let open = laid_open(&redacted);
        let text = String::from_utf8_lossy(&open);
        assert!(!text.contains("PIN=123"));
        assert!(
            text.contains("PIN=***") && text.contains("number 123") && text.contains("PATH=/bin")
        );
        assert_eq!(
            (
                summary.values_hidden,
                summary.values_too_short,
                summary.passes
            ),
            (0, 1, 1)
        );
        let masked = |masks| Masked {
            masks,
            bytes: masks * 3,
        };
        assert_eq!(
            summary.rules[0].places,
            [(Place::Spec, masked(1)), (Place::Memory, masked(2))].into()
        );
    }
}

#[test]
fn a_value_learnt_late_causes_a_second_pass() {
    let secret = "a-value-that-only-the-spec-knows";
    let spec = json!({"process": {"env": [format!("KEY={secret}")]}}).to_string();
    let archive = tar(&[
        (
            "checkpoint/core-1.img".to_owned(),
            format!("__{secret}__").into_bytes(),
        ),
        ("spec.dump".to_owned(), spec.into_bytes()),
    ]);
    let plan = hide_variables("KEY");
    let redaction = Redaction {
        plan,
        ..Redaction::default()
    };
    let (redacted, summary) = redact(redaction.clone(), &archive).unwrap();
    assert_eq!(summary.passes, 2);
    assert!(!String::from_utf8_lossy(&redacted).contains(secret));
    let places: u64 = summary.rules[0]
        .places
        .values()
        .map(|masked| masked.masks)
        .sum();
    assert_eq!(places, 2, "what the first pass masked is not counted again");
    let values = vec![EnvValue {
        name: "KEY".to_owned(),
        value: secret.into(),
    }];
    let (same, summary) = redact(
        Redaction {
            values,
            ..redaction
        },
        &archive,
    )
    .unwrap();
    assert_eq!(summary.passes, 1);
    assert!(same == redacted);
}

#[test]
fn finds_environments_in_any_order_of_the_images() {
    let mut members = variables().members(Runtime::CriO);
    members.retain(|(name, _)| name.starts_with("checkpoint/"));
    let rotate = |by: usize| {
        let mut members = members.clone();
        members.rotate_left(by);
        members
    };
    let reversed = members.iter().rev().cloned().collect();
    for members in (0..members.len()).map(rotate).chain([reversed]) {
        let redaction = Redaction {
            plan: hide_variables("PIN"),
            ..Redaction::default()
        };
        let (redacted, summary) = redact(redaction, &tar(&members)).unwrap();
        assert!(!String::from_utf8_lossy(&redacted).contains("PIN=123"));
        assert!(summary.passes <= 3);
    }
}

#[test]
fn refuses_damaged_images_that_locate_environments() {
    for name in ["checkpoint/mm-1.img", "checkpoint/pagemap-1.img"] {
        for bytes in [&b""[..], b"garbage", &[0xff; 40], &image(&[vec![0xff; 9]])] {
            let refused = run(hide_variables("*"), &one(name, bytes)).unwrap_err();
            assert!(matches!(refused, Error::Opaque { .. }), "{refused}");
            // Without a rule for environments, damaged images are passed on.
            run(only(Place::Memory, literal("x")), &one(name, bytes)).unwrap();
        }
    }
}

#[test]
fn refuses_pages_that_do_not_fit_their_map() {
    let map = image(&[
        message(&[(1, 1)]),
        message(&[(1, 0x1000), (2, 0), (4, 4), (5, 3)]),
    ]);
    for (pages, fits) in [(3, true), (2, false), (4, false)] {
        let archive = tar(&[
            ("checkpoint/pagemap-1.img".to_owned(), map.clone()),
            ("checkpoint/pages-1.img".to_owned(), vec![1; pages * PAGE]),
        ]);
        let outcome = run(only(Place::Memory, literal("x")), &archive);
        assert_eq!(outcome.is_ok(), fits, "{pages}");
        assert!(
            outcome
                .err()
                .is_none_or(|error| matches!(error, Error::BrokeArchive(_)))
        );
    }
}

#[test]
fn masks_environments_on_pages_of_any_size() {
    for page in [PAGE, 16 << 10, 64 << 10] {
        for runtime in [Runtime::Containerd, Runtime::CriO] {
            let mut specimen = variables();
            specimen.page = page;
            // The environment crosses the end of a page.
            let long = format!("FILLER={}", "x".repeat(page));
            for process in &mut specimen.processes {
                process.environment.insert(0, long.clone());
            }
            let redaction = Redaction {
                plan: hide_variables("PIN"),
                ..Redaction::default()
            };
            let (redacted, summary) = redact(redaction, &specimen.archive(runtime)).unwrap();
            let open = laid_open(&redacted);
            let text = String::from_utf8_lossy(&open);
            assert!(!text.contains("PIN=123"), "{page}");
            let memory = summary.rules[0].places[&Place::Memory];
            assert_eq!(memory, Masked { masks: 2, bytes: 6 }, "{page}");
            assert_eq!(text.matches("PATH=/bin").count(), 3, "{page}");
        }
    }
}

#[test]
fn refuses_pages_of_two_machines() {
    let mut specimen = variables();
    let mut members = specimen.members(Runtime::CriO);
    specimen.page = 16 << 10;
    for (name, bytes) in specimen.members(Runtime::CriO) {
        if ["pages-2", "pagemap-17"]
            .iter()
            .any(|part| name.contains(part))
        {
            let member = members.iter_mut().find(|(member, _)| *member == name);
            member.unwrap().1 = bytes;
        }
    }
    let error = run(hide_variables("PIN"), &tar(&members)).unwrap_err();
    let expected = "its memory images have pages of different sizes";
    assert!(error.to_string().contains(expected), "{error}");
    let found = verify(&mut Cursor::new(tar(&members)), None)
        .unwrap()
        .findings;
    assert!(
        found[0].is_fatal() && found[0].code == FindingCode::PageCount,
        "{found:?}"
    );
}

#[test]
fn refuses_a_page_map_that_contradicts_the_size_of_pages() {
    let mut specimen = variables();
    specimen.page = 16 << 10;
    let mut members = specimen.members(Runtime::CriO);
    let map = members
        .iter_mut()
        .find(|(name, _)| name.ends_with("pagemap-1.img"));
    // The stack's run begins on a page of 4 KiB in a memory of 16 KiB pages.
    let stack = message(&[(1, 0x7fff_f000_0000)]);
    let moved = message(&[(1, 0x7fff_f000_0000 - 4096)]);
    let bytes = &mut map.unwrap().1;
    let at = bytes
        .windows(stack.len())
        .position(|window| window == stack);
    let at = at.unwrap();
    bytes[at..at + moved.len()].copy_from_slice(&moved);
    let error = run(hide_variables("PIN"), &tar(&members)).unwrap_err();
    let expected = "does not fit the size of the memory's pages";
    assert!(error.to_string().contains(expected), "{error}");
}
