//! 200 secrets, each in one of the forms in which programs write values: in a file, in the log and in the heap of a shell. The
//! plain archive shows every text, the redacted one none of them, and still restores.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::harness::{Containerd, Counter, Front};
use super::redacting;
use crate::redaction::members;

const COUNT: usize = 200;

/// A form's name and its encoder.
type Form = (&'static str, fn(&str) -> Vec<u8>);

/// The encoders, which share nothing with the redactor.
const FORMS: [Form; 18] = [
    ("as it stands", |value| value.as_bytes().to_vec()),
    ("in capitals", |value| value.to_uppercase().into_bytes()),
    ("every byte in percent", |value| each(value, "%", "", true)),
    ("percent in small digits", |value| {
        each(value, "%", "", false)
    }),
    ("percent twice", |value| each(value, "%25", "", true)),
    ("hex", |value| each(value, "", "", false)),
    ("hex in capitals with colons", |value| {
        each(value, "", ":", true)
    }),
    ("base64", |value| STANDARD.encode(value).into_bytes()),
    ("base64 of base64", |value| {
        STANDARD.encode(STANDARD.encode(value)).into_bytes()
    }),
    ("base32", base32),
    ("JSON", |value| serde_json::to_vec(value).unwrap()),
    ("JSON in JSON", |value| {
        serde_json::to_vec(&serde_json::to_string(value).unwrap()).unwrap()
    }),
    ("JSON in escapes alone", |value| {
        value
            .encode_utf16()
            .flat_map(|unit| format!("\\u{unit:04x}").into_bytes())
            .collect()
    }),
    ("HTML in numbers", |value| {
        value
            .chars()
            .flat_map(|letter| format!("&#{};", u32::from(letter)).into_bytes())
            .collect()
    }),
    ("HTML in names", |value| {
        value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
            .into_bytes()
    }),
    ("shell", |value| {
        format!("'{}'", value.replace('\'', r"'\''")).into_bytes()
    }),
    ("SQL", |value| value.replace('\'', "''").into_bytes()),
    ("UTF-16", |value| {
        value.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }),
];

/// Each byte as two hex digits, after `before` and, but for the first, `between`.
fn each(value: &str, before: &str, between: &str, capitals: bool) -> Vec<u8> {
    let digits = value.bytes().map(|byte| {
        let digits = if capitals {
            format!("{byte:02X}")
        } else {
            format!("{byte:02x}")
        };
        format!("{before}{digits}")
    });
    digits.collect::<Vec<_>>().join(between).into_bytes()
}

fn base32(value: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<u8> = value
        .bytes()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let fives = bits.chunks_exact(5);
    let number = |five: &[u8]| five.iter().fold(0, |sum, bit| sum * 2 + usize::from(*bit));
    fives.map(|five| alphabet[number(five)]).collect()
}

/// With the characters that encoders treat differently in the middle.
fn secret() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    format!("{}'\"/&<+é{}", &digits[..16], &digits[16..])
}

/// The texts come in base64, which no form is, since an argument holds no NUL. Those without one are in the shell's heap, too.
fn script(texts: &[Vec<u8>]) -> String {
    let mut script = String::new();
    for (at, text) in texts.iter().enumerate() {
        let packed = STANDARD.encode(text);
        writeln!(script, "p=$(echo {packed} | busybox base64 -d; echo .)").unwrap();
        writeln!(script, "echo {packed} | busybox base64 -d >>/kept").unwrap();
        match at % 3 {
            0 => script += "echo \"said $p\"\n",
            1 => script += "all=\"$all $p\"\n",
            _ => {}
        }
    }
    script + "n=0\nwhile :; do n=$((n + 1)); echo \"tick $n of ${#all}\"; sleep 1; done\n"
}

fn holds(members: &[(String, Vec<u8>)], text: &[u8]) -> bool {
    let found = |bytes: &[u8]| {
        let starts = bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == text[0]);
        starts
            .map(|(start, _)| &bytes[start..])
            .any(|rest| rest.starts_with(text))
    };
    members.iter().any(|(_, bytes)| found(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn masks_200_secrets_in_the_forms_that_programs_write() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let secrets: Vec<String> = (0..COUNT).map(|_| secret()).collect();
    let form = |at: usize| FORMS[at % FORMS.len()];
    let texts: Vec<Vec<u8>> = secrets
        .iter()
        .enumerate()
        .map(|(at, secret)| form(at).1(secret))
        .collect();
    let variables: Vec<String> = secrets
        .iter()
        .enumerate()
        .map(|(at, secret)| format!("SECRET_{at}={secret}"))
        .collect();
    let workload = Counter::script(&containerd, "forms", &script(&texts), &variables);

    let plain = Front::start(&containerd, |_| {}).await;
    let before = members(&plain.take(&workload).await);
    let missing: Vec<_> = (0..COUNT)
        .filter(|at| !holds(&before, &texts[*at]))
        .collect();
    assert_eq!(missing, [0; 0], "not in the plain archive");

    let front = Front::start(&containerd, redacting).await;
    let archive = front.take(&workload).await;
    let after = members(&archive);
    let left: Vec<_> = (0..COUNT)
        .filter(|at| holds(&after, &texts[*at]) || holds(&after, secrets[*at].as_bytes()))
        .map(|at| (at, form(at).0))
        .collect();
    assert_eq!(left, [], "still readable");

    drop(workload);
    let restored = Counter::restore(&containerd, "forms-restored", &archive);
    restored.goes_on(restored.ticks().max(1));
}
