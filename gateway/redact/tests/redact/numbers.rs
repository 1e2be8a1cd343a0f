//! Secrets in numbers of CRIU's images: registers, counters, payloads. Read back by a decoder that shares nothing with the redactor.

use std::collections::BTreeMap;

use gateway_core::{Place, Plan};
use gateway_redact::{EnvValue, Error, Redaction};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::plans::{hide_variables, redact};
use crate::registers::{
    CODE, Registers, STACK, core, longest, nested, numbers, readable, repeated, words, x86,
};
use crate::specimen::{Members, Specimen, image, message, read_tar, tar};
use crate::support::{literal, member, only};

const SECRET: &str = "sk-Zq8Lw3Tn5Rv7Xk2Bp9Hd4Mc6Jf1Gs0YaEuIo";
const CORE: &str = "checkpoint/core-1.img";
const FILES: &str = "checkpoint/files.img";

/// A checkpoint with these images in place of its own.
fn archive(images: &[(&str, &[u8])]) -> Vec<u8> {
    let specimen = Specimen::new(vec![format!("API_KEY={SECRET}"), "HOME=/root".to_owned()]);
    let mut members = specimen.members(crate::specimen::Runtime::Containerd);
    members.retain(|(name, _)| images.iter().all(|(image, _)| image != name));
    members.extend(
        images
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())),
    );
    tar(&members)
}

fn run(plan: Plan, images: &[(&str, &[u8])]) -> Result<Members, Error> {
    let values = vec![EnvValue {
        name: "API_KEY".to_owned(),
        value: SECRET.into(),
    }];
    let redaction = Redaction {
        plan,
        values,
        ..Redaction::default()
    };
    redact(redaction, &archive(images)).map(|(bytes, _)| read_tar(&bytes))
}

/// Redacts the image and checks that nothing is left. Returns its numbers.
fn check(name: &str, before: &[u8], least: usize) -> BTreeMap<Vec<u64>, Vec<u64>> {
    assert!(
        longest(&readable(before), SECRET.as_bytes()) >= least,
        "the decoder finds it"
    );
    let after = member(
        &run(hide_variables("API_*"), &[(name, before)]).unwrap(),
        name,
    );
    assert_eq!(before.len(), after.len());
    let left = longest(&readable(&after), SECRET.as_bytes());
    assert!(left < 6, "{left} bytes are left");
    assert!(numbers(before).keys().eq(numbers(&after).keys()));
    numbers(&after)
}

#[test]
fn masks_secrets_in_every_register_file() {
    let secret = SECRET.as_bytes();
    let put = |bytes: &mut Vec<u8>, at: usize| bytes[at..at + secret.len()].copy_from_slice(secret);
    let images = [
        x86(|it| put(&mut it.vectors, 64 * 3)),
        x86(|it| put(&mut it.vectors, 64 * 5 + 9)),
        x86(|it| put(&mut it.vectors, 64 * 6 + 40)),
        x86(|it| put(&mut it.upper, 64 * 7 + 3)),
        x86(|it| put(&mut it.x87, 16)),
        x86(|it| put(&mut it.masks, 8)),
        x86(|it| it.general[2..7].copy_from_slice(&words(&[secret, b"\0"].concat(), 8))),
    ];
    for image in images {
        let after = check(CORE, &image, secret.len());
        assert_eq!(after[&vec![2, 2, 17]], [CODE]);
        assert_eq!(after[&vec![2, 2, 20]], [STACK]);
        assert_eq!(after[&vec![2, 3, 7]], [0x1f80]);
        assert_eq!(after[&vec![2, 2, 1]], [0x7f00_1122_3344]);
    }
}

#[test]
fn masks_pieces_from_six_bytes_on() {
    let secret = SECRET.as_bytes();
    for length in [6, 7, 8] {
        for start in [0, 5, secret.len() - length] {
            let word = words(&secret[start..start + length], 8)[0];
            for field in [0, 8, 14] {
                check(CORE, &x86(|it| it.general[field] = word), length);
                check(
                    CORE,
                    &x86(|it| it.general[field] = word.swap_bytes()),
                    length,
                );
            }
            check(
                CORE,
                &x86(|it| {
                    it.vectors[77..77 + length].copy_from_slice(&secret[start..start + length]);
                }),
                length,
            );
        }
    }
    // Five bytes are no piece: what may be an address stays.
    let word = words(&secret[3..8], 8)[0];
    let image = x86(|it| it.general[4] = word);
    let after = member(
        &run(hide_variables("API_*"), &[(CORE, &image)]).unwrap(),
        CORE,
    );
    assert_eq!(after, image);
}

#[test]
fn masks_registers_of_aarch64() {
    let secret = words(SECRET.as_bytes(), 8);
    let (mut general, mut vectors) = (vec![0x7f_1234_5678; 31], vec![0; 64]);
    general[4..9].copy_from_slice(&secret);
    vectors[10..15].copy_from_slice(&secret);
    let info = [
        message(&[(1, 0x7f_0000), (2, 0x7f_1000)]),
        nested(
            3,
            &[repeated(1, &general), message(&[(2, STACK), (3, CODE)])].concat(),
        ),
        nested(
            4,
            &[repeated(1, &vectors), message(&[(2, 0), (3, 0)])].concat(),
        ),
    ];
    let after = check(CORE, &core(3, &info.concat(), b""), SECRET.len());
    assert_eq!(
        (after[&vec![8, 3, 2]][0], after[&vec![8, 3, 3]][0]),
        (STACK, CODE)
    );
    assert_eq!(after[&vec![8, 3, 1]][0], 0x7f_1234_5678);
}

#[test]
fn masks_payloads_of_timers_signals_events_and_counters() {
    let word = words(SECRET.as_bytes(), 8)[1];
    let timer = message(&[(1, 0), (2, 1), (3, 14), (4, 0), (5, word), (6, 0), (7, 1)]);
    let mut signal = vec![0; 128];
    signal[..4].copy_from_slice(&[34, 0, 0, 0]);
    signal[24..32].copy_from_slice(&word.to_le_bytes());
    let task = [
        nested(7, &nested(4, &timer)),
        nested(10, &nested(1, &nested(1, &signal))),
    ];
    let after = check(CORE, &core(1, &Registers::new().x86(), &task.concat()), 8);
    assert_eq!(after[&vec![3, 7, 4, 7]], [1]);
    assert_eq!(after[&vec![3, 10, 1, 1]][0], 34);
    let owner = nested(3, &message(&[(1, 0), (2, 0)]));
    let counter = [
        message(&[(1, 7), (2, 2)]),
        owner.clone(),
        message(&[(4, word)]),
    ]
    .concat();
    check(
        FILES,
        &image(&[[message(&[(1, 6), (2, 7)]), nested(8, &counter)].concat()]),
        8,
    );
    let target = message(&[(1, 8), (2, 5), (3, 1), (4, word)]);
    let events = [message(&[(1, 8), (2, 2)]), owner, nested(4, &target)].concat();
    let after = check(
        FILES,
        &image(&[[message(&[(1, 7), (2, 8)]), nested(9, &events)].concat()]),
        8,
    );
    assert_eq!(after[&vec![9, 4, 2]], [5]);
}

#[test]
fn refuses_secrets_in_numbers_that_must_stay() {
    let word = words(&SECRET.as_bytes()[4..10], 8)[0];
    // The instruction, the stack and the thread's own area.
    for field in [16, 19, 21] {
        let image = x86(|it| it.general[field] = word);
        let refused = run(hide_variables("API_*"), &[(CORE, &image)]);
        assert!(matches!(refused, Err(Error::Opaque { .. })), "{field}");
    }
    // A position in a file.
    let file = message(&[(1, 7), (2, 2), (3, 0), (4, word)]);
    let files = image(&[[message(&[(1, 1), (2, 7)]), nested(3, &file)].concat()]);
    let refused = run(hide_variables("API_*"), &[(FILES, &files)]);
    assert!(matches!(refused, Err(Error::Opaque { .. })));
}

#[test]
fn refuses_processor_state_that_cannot_be_read() {
    let mut cut = x86(|_| {});
    cut.pop();
    let wrong = image(&[vec![0xff; 20]]);
    for broken in [cut, wrong] {
        let refused = run(hide_variables("API_*"), &[(CORE, &broken)]);
        assert!(matches!(refused, Err(Error::Opaque { .. })));
        let elsewhere = only(Place::Logs, literal("sk-Zq8"));
        assert!(run(elsewhere, &[(CORE, &broken)]).is_ok());
    }
}

#[test]
fn leaves_registers_that_hold_one_byte_many_times() {
    let redaction = |images: &[(&str, &[u8])]| {
        let redaction = Redaction {
            plan: hide_variables("API_*"),
            values: vec![EnvValue {
                name: "API_KEY".to_owned(),
                value: b"Qw9eZx7======".to_vec(),
            }],
            ..Redaction::default()
        };
        let archive = archive(images);
        redact(redaction, &archive)
            .map(|(bytes, _)| read_tar(&bytes))
            .unwrap()
    };
    // As `memchr` does it.
    let image = x86(|it| it.vectors.fill(b'='));
    assert_eq!(member(&redaction(&[(CORE, &image)]), CORE), image);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damaged_processor_state_keeps_its_length_or_is_refused(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
        at in 0usize..900,
    ) {
        let mut image = x86(|it| it.vectors[at..at + SECRET.len()].copy_from_slice(SECRET.as_bytes()));
        for (place, byte) in changes {
            let place = 8 + place.index(image.len() - 8);
            image[place] = byte;
        }
        if let Ok(members) = run(hide_variables("API_*"), &[(CORE, &image)]) {
            prop_assert_eq!(member(&members, CORE).len(), image.len());
        }
    }
}
