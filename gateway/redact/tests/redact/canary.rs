//! Two hundred secrets in a checkpoint, in many places and encodings.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_redact::{EnvValue, Redaction};

use crate::plans::{hide_variables, redact};
use crate::specimen::{Dice, PAGE, Runtime, Specimen, gunzip, laid_open, read_tar};

const SECRETS: usize = 200;

/// A checkpoint with each secret in some of the places where secrets get.
fn infested(secrets: &[String]) -> Specimen {
    let variables = secrets
        .iter()
        .enumerate()
        .map(|(at, secret)| format!("SECRET_{at}={secret}"));
    let mut specimen = Specimen::new(variables.chain(["HOME=/root".to_owned()]).collect());
    let mut places = vec![Vec::new(); 6];
    for (at, secret) in secrets.iter().enumerate() {
        places[at % 6].push(secret.clone());
    }
    for (at, secret) in secrets.iter().enumerate() {
        let heap = &mut specimen.processes[at % 2].heap;
        let spot = match at {
            // Across the chunks in which the archive is read.
            0 | 1 => (1 << 20) - 3 * 512 - 10,
            // Across pages.
            _ if at % 3 == 0 => (1 + at) * PAGE - secret.len() / 2,
            _ => (1 + at) * PAGE + 8,
        };
        heap[spot..spot + secret.len()].copy_from_slice(secret.as_bytes());
        let encoded = STANDARD.encode(format!("{}{secret}:", &"ab:"[..at % 3]));
        let spot = (1 + at) * PAGE + 1000;
        heap[spot..spot + encoded.len()].copy_from_slice(encoded.as_bytes());
        let percent: String = url::encode(secret);
        let spot = (1 + at) * PAGE + 2000;
        heap[spot..spot + percent.len()].copy_from_slice(percent.as_bytes());
    }
    let lines = |secrets: &[String]| -> Vec<u8> {
        secrets
            .iter()
            .flat_map(|secret| format!("the key is {secret}\n").into_bytes())
            .collect()
    };
    specimen
        .arguments
        .extend(places[0].iter().map(|secret| format!("--key={secret}")));
    specimen.log.extend(lines(&places[1]));
    specimen
        .rootfs
        .push(("app/key".to_owned(), lines(&places[2])));
    specimen.tmpfs.push(("./key".to_owned(), lines(&places[3])));
    let ghost = lines(&places[4]);
    specimen.ghost[1000..1000 + ghost.len()].copy_from_slice(&ghost);
    specimen
}

mod url {
    pub(crate) fn encode(text: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes()
            .map(|b| {
                if plain(b) {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    }
}

fn secrets() -> Vec<String> {
    let mut dice = Dice::new(42);
    (0..SECRETS)
        .map(|_| {
            let length = 12 + dice.below(30);
            dice.text(length)
        })
        .collect()
}

/// In how many of the forms that it was given each secret still shows.
fn visible(archive: &[u8], secrets: &[String]) -> Vec<usize> {
    let mut wanted: HashMap<[u8; 8], Vec<(usize, Vec<u8>)>> = HashMap::new();
    for (at, secret) in secrets.iter().enumerate() {
        for form in forms(secret) {
            wanted
                .entry(*form.first_chunk().unwrap())
                .or_default()
                .push((at, form));
        }
    }
    let (open, mut starts) = (laid_open(archive), vec![false; 1 << 16]);
    for start in wanted.keys() {
        starts[usize::from(u16::from_le_bytes([start[0], start[1]]))] = true;
    }
    let mut found = vec![BTreeSet::new(); secrets.len()];
    for (at, window) in open.windows(8).enumerate() {
        if starts[usize::from(u16::from_le_bytes([window[0], window[1]]))] {
            let here = wanted.get(window).into_iter().flatten();
            for (secret, form) in here.filter(|(_, form)| open[at..].starts_with(form)) {
                found[*secret].insert(form.clone());
            }
        }
    }
    found.iter().map(BTreeSet::len).collect()
}

fn forms(secret: &str) -> [Vec<u8>; 6] {
    let inner = |before: &str| {
        let text = STANDARD.encode(format!("{before}{secret}"));
        let first = (before.len() * 8).div_ceil(6);
        text[first..(before.len() + secret.len()) * 8 / 6].to_owned()
    };
    let json = serde_json::to_string(secret).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    [
        secret.to_owned(),
        json,
        url::encode(secret),
        inner(""),
        inner("a"),
        inner("ab"),
    ]
    .map(String::into_bytes)
}

fn holds(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len())
        .any(|window| window[0] == needle[0] && window == needle)
}

#[test]
fn no_secret_is_left_in_any_encoding() {
    let secrets = secrets();
    let specimen = infested(&secrets);
    for runtime in [Runtime::Containerd, Runtime::CriO] {
        let archive = specimen.archive(runtime);
        assert!(visible(&archive, &secrets).iter().all(|forms| *forms >= 2));
        let values = secrets.iter().map(|secret| EnvValue {
            name: "SECRET_X".to_owned(),
            value: secret.clone().into_bytes(),
        });
        for (values, passes) in [(values.collect(), 1), (Vec::new(), 2)] {
            let redaction = Redaction {
                plan: hide_variables("SECRET_*"),
                values,
                ..Redaction::default()
            };
            let (redacted, summary) = redact(redaction, &archive).unwrap();
            assert_eq!(
                visible(&redacted, &secrets),
                vec![0; SECRETS],
                "{runtime:?}"
            );
            assert_eq!(
                (summary.passes, summary.values_hidden),
                (passes, SECRETS as u64)
            );
            assert_eq!(summary.unreadable, Vec::<String>::new());
            check_shape(&archive, &redacted);
            assert!(holds(&laid_open(&redacted), b"HOME=/root"));
        }
    }
}

/// Same members in the same order and of the same length, but for archives inside: their files keep their lengths.
fn check_shape(before: &[u8], after: &[u8]) {
    let (before, after) = (read_tar(before), read_tar(after));
    assert_eq!(before.len(), after.len());
    for ((name, old), (new_name, new)) in before.iter().zip(&after) {
        assert_eq!(name, new_name);
        if !name.ends_with(".tar.gz.img") && name != "rootfs-diff.tar" {
            assert_eq!(old.len(), new.len(), "{name}");
        }
        if old.starts_with(&[0x1f, 0x8b]) {
            let (old, new) = (read_tar(&gunzip(old)), read_tar(&gunzip(new)));
            assert!(
                old.iter()
                    .map(|(name, bytes)| (name, bytes.len()))
                    .eq(new.iter().map(|(name, bytes)| (name, bytes.len())))
            );
        }
    }
}
