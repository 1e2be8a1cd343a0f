//! Texts and contents in CRIU's images. Lengths and tags are read back by a decoder that shares nothing with the redactor.

use gateway_core::Plan;
use gateway_redact::{EnvValue, Error, Redaction};
use proptest::prelude::*;

use crate::plans::{hide_variables, redact, rule};
use crate::registers::{longest, nested, numbers, readable, words};
use crate::specimen::{image, message, read_tar, tar};
use crate::support::{literal, member};

const SECRET: &str = "Hk29-pale-Walnut-774x-of-the-case";

fn run(name: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let name = format!("checkpoint/{name}.img");
    let redaction = Redaction {
        plan: hide_variables("API_*"),
        values: vec![EnvValue {
            name: "API_KEY".to_owned(),
            value: SECRET.into(),
        }],
        ..Redaction::default()
    };
    let archive = tar(&[(name.clone(), bytes.to_vec())]);
    redact(redaction, &archive).map(|(bytes, _)| member(&read_tar(&bytes), &name))
}

fn masked(bytes: &[u8]) -> Vec<u8> {
    let secret = SECRET.as_bytes();
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(secret.len() - 1) {
        if bytes[at..].starts_with(secret) {
            bytes[at..at + secret.len()].fill(b'*');
        }
    }
    bytes
}

/// A message of any kind, and where its texts stand: a tree of numbers, fixed numbers, texts and messages.
#[derive(Debug, Clone)]
enum Tree {
    Number(u64, u64),
    Fixed(u64, u32),
    Text(u64, Vec<u8>),
    Message(u64, Vec<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let text = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[ -~]{0,20}".prop_map(String::into_bytes),
        ("[ -~]{0,9}", "[ -~]{0,9}")
            .prop_map(|(before, after)| format!("{before}{SECRET}{after}").into_bytes()),
        prop::collection::vec(128u8.., 0..9).prop_map(|noise| [
            &noise,
            SECRET.as_bytes(),
            &[0xff, 0]
        ]
        .concat()),
    ];
    let leaf = prop_oneof![
        (1u64..3000, any::<u64>(), 0u32..64)
            .prop_map(|(field, value, shift)| Tree::Number(field, value >> shift)),
        (1u64..40, any::<u32>()).prop_map(|(field, value)| Tree::Fixed(field, value)),
        (1u64..3000, text).prop_map(|(field, text)| Tree::Text(field, text)),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        (1u64..3000, prop::collection::vec(inner, 0..6))
            .prop_map(|(field, all)| Tree::Message(field, all))
    })
}

fn write(all: &[Tree]) -> Vec<u8> {
    all.iter()
        .flat_map(|tree| match tree {
            Tree::Number(field, value) => message(&[(*field, *value)]),
            Tree::Fixed(field, value) => {
                let mut bytes = message(&[(*field, 0)]);
                bytes.pop();
                bytes[0] |= 5;
                [bytes, value.to_le_bytes().to_vec()].concat()
            }
            Tree::Text(field, text) => nested(*field, text),
            Tree::Message(field, all) => nested(*field, &write(all)),
        })
        .collect()
}

/// The same message with its texts masked, if only those are.
fn with_masked_texts(all: &[Tree]) -> Vec<Tree> {
    all.iter()
        .map(|tree| match tree {
            Tree::Text(field, text) => Tree::Text(*field, masked(text)),
            Tree::Message(field, all) => Tree::Message(*field, with_masked_texts(all)),
            other => other.clone(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn only_texts_of_messages_change(all in prop::collection::vec(tree(), 0..8), kind in prop::sample::select(vec!["new-kind", "fs-1", "memfd", "tty-info"])) {
        let before = image(&[write(&all), message(&[(1, 7)])]);
        let expected = image(&[write(&with_masked_texts(&all)), message(&[(1, 7)])]);
        match run(kind, &before) {
            Ok(after) => prop_assert!(after == expected),
            // What looks like text and like a message may be refused, never broken.
            Err(error) => {
                let is_refused = matches!(error, Error::Opaque { .. } | Error::BrokeArchive(_));
                prop_assert!(is_refused);
            }
        }
    }

    #[test]
    fn damaged_images_keep_their_length_or_are_refused(
        all in prop::collection::vec(tree(), 0..5),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        kind in prop::sample::select(vec!["files", "fs-1", "pipes-data", "ipcns-msg-9", "ghost-file-1", "mountpoints-1"]),
    ) {
        let mut before = image(&[write(&all), SECRET.into()]);
        for (place, byte) in changes {
            let place = place.index(before.len());
            before[place] = byte;
        }
        if let Ok(after) = run(kind, &before) {
            prop_assert_eq!(after.len(), before.len());
            prop_assert!(!after.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
        }
    }
}

/// A secret's first byte is a field's tag, and its length stands in its second.
#[test]
fn lengths_and_tags_are_never_touched() {
    let text = "\n!abcdefghijklmnopqrstuvwxyz0123456";
    let plan = Plan {
        mask: vec![rule("secret", literal(text))],
        ..Plan::default()
    };
    let entry = nested(7, text.as_bytes());
    let archive = tar(&[("checkpoint/new-1.img".to_owned(), image(&[entry]))]);
    let redaction = Redaction {
        plan,
        ..Redaction::default()
    };
    assert!(matches!(
        redact(redaction, &archive),
        Err(Error::BrokeArchive(_))
    ));
    let name = nested(3, &nested(6, text.as_bytes()));
    let archive = tar(&[("checkpoint/files.img".to_owned(), image(&[name]))]);
    let plan = Plan {
        mask: vec![rule("secret", literal(text))],
        ..Plan::default()
    };
    let (after, _) = redact(
        Redaction {
            plan,
            ..Redaction::default()
        },
        &archive,
    )
    .unwrap();
    let after = member(&read_tar(&after), "checkpoint/files.img");
    assert_eq!(
        after,
        image(&[nested(3, &nested(6, "*".repeat(text.len()).as_bytes()))])
    );
}

/// A message with its length before it, and contents behind it.
fn with(message: &[u8], contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_le_bytes();
    [&length, message, contents].concat()
}

fn up_to(bytes: &[u8], to: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(to), 0);
    bytes
}

fn checks_contents(kind: &str, parts: &[Vec<u8>]) {
    let whole = [image(&[]), parts.concat()].concat();
    let outcome = run(kind, &whole);
    let why = outcome.as_ref().err().map(ToString::to_string);
    assert_eq!(why, None, "{kind}");
    assert!(outcome.unwrap() == masked(&whole), "{kind}");
}

#[test]
fn contents_behind_messages_are_masked_in_their_place() {
    let secret = SECRET.as_bytes();
    let length = secret.len() as u64;
    let one = with(&message(&[(1, 9), (2, length)]), secret);
    let none = with(&message(&[(1, 9), (2, 0)]), b"");
    checks_contents("pipes-data", &[one.clone(), none.clone(), one.clone()]);
    checks_contents("fifo-data", std::slice::from_ref(&one));
    checks_contents("sk-queues", &[one, none]);
    let both = [secret, secret].concat();
    let stream = with(&message(&[(1, length), (2, 7), (3, length)]), &both);
    checks_contents("tcp-stream-1f", &[stream]);
    let sizes = message(&[(1, 1), (2, 4), (3, length), (4, 1)]);
    let map = with(&sizes, &[b"key!", secret].concat());
    checks_contents("bpfmap-data", &[map]);
    let whole = with(
        &message(&[(1, 0), (2, 0)]),
        &[secret, b"\x05\0\0\0"].concat(),
    );
    checks_contents("ghost-file-1", &[whole]);
    let head = with(&message(&[(1, 0), (9, 1)]), b"");
    let piece = with(&message(&[(1, length), (2, 0)]), secret);
    checks_contents("ghost-file-2", &[head, piece]);
    // A length that says less than there is leaves a rest that is no message.
    let cut = [image(&[]), with(&message(&[(1, 9), (2, 4)]), secret)].concat();
    let refused = run("pipes-data", &cut);
    assert!(matches!(refused, Err(Error::Opaque { .. })));
}

#[test]
fn contents_of_ipc_are_masked_in_their_place() {
    let secret = SECRET.as_bytes();
    let length = secret.len() as u64;
    let shared = with(&message(&[(2, length)]), &up_to(secret, 4));
    let elsewhere = with(&message(&[(2, 9), (3, 1)]), b"");
    checks_contents("ipcns-shm-9", &[shared, elsewhere]);
    let set = message(&[(2, length.div_ceil(2))]);
    checks_contents("ipcns-sem-9", &[with(&set, &up_to(secret, 8))]);
    let queue = with(&message(&[(2, 500), (3, 2)]), b"");
    let one = with(&message(&[(1, 1), (2, length)]), &up_to(secret, 8));
    let other = with(&message(&[(1, 2), (2, 3)]), &up_to(b"abc", 8));
    checks_contents("ipcns-msg-9", &[queue, one, other]);
}

#[test]
fn numbers_of_every_image_are_searched() {
    let word = words(&SECRET.as_bytes()[..8], 8)[0];
    // The type of a queued message is the process's own.
    let with_length = |message: Vec<u8>| {
        [
            u32::try_from(message.len()).unwrap().to_le_bytes().to_vec(),
            message,
        ]
        .concat()
    };
    let queue = message(&[(2, 500), (3, 1)]);
    let text = message(&[(1, word), (2, 0)]);
    let before = [
        image(std::slice::from_ref(&queue)),
        with_length(text.clone()),
    ]
    .concat();
    let after = run("ipcns-msg-9", &before).unwrap();
    let after = image(&[after[before.len() - text.len()..].to_vec()]);
    assert!(longest(&readable(&after), SECRET.as_bytes()) < 6);
    assert!(numbers(&after).keys().eq(numbers(&image(&[text])).keys()));
    // Addresses, positions, packed lists: a restore needs them as they are.
    let packed = message(&[(1, word)])[1..].to_vec();
    for (kind, entry) in [
        ("mm-1", message(&[(10, 1), (11, 2), (7, word)])),
        (
            "mm-1",
            [
                message(&[(10, 1), (11, 2)]),
                nested(14, &message(&[(3, word)])),
            ]
            .concat(),
        ),
        (
            "mm-1",
            [message(&[(10, 1), (11, 2)]), nested(13, &packed)].concat(),
        ),
        ("pagemap-shmem-1", message(&[(1, word)])),
        ("rlimit-1", message(&[(1, word)])),
        ("filelocks", message(&[(5, word)])),
    ] {
        let refused = run(kind, &image(&[entry]));
        assert!(matches!(refused, Err(Error::Opaque { .. })), "{kind}");
    }
    let many: Vec<_> = (0..200_000)
        .map(|at| (3, if at == 150_000 { word } else { at }))
        .collect();
    assert!(matches!(
        run("mm-1", &image(&[message(&many)])),
        Err(Error::Opaque { .. })
    ));
}

#[test]
fn programs_for_the_kernel_are_refused() {
    let filter = nested(1, &nested(1, &[b"\x06\0\0\0", SECRET.as_bytes()].concat()));
    assert!(matches!(
        run("seccomp", &image(&[filter])),
        Err(Error::Opaque { .. })
    ));
}
