//! A learnt value is found in every form that the documentation lists. Encoders and decoders here share no code with the
//! redactor.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use gateway_core::{MaskRule, Pattern, Place, Plan};
use gateway_redact::{EnvValue, Redaction};
use proptest::prelude::*;

use crate::decoders::{
    entities, hex_digits, json, percent, percent_and_plus, quoted, ucs, undo_base32,
};
use crate::plans::redact;
use crate::specimen::{Members, read_tar};
use crate::support::{member, one};

type Encode = fn(&str) -> Vec<u8>;
type Decode = fn(&[u8]) -> Vec<u8>;

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn percent_but(text: &str, kept: &[u8], upper: bool) -> String {
    let one = |byte: u8| match (is_word(byte) || kept.contains(&byte), upper) {
        (true, _) => char::from(byte).to_string(),
        (false, true) => format!("%{byte:02X}"),
        (false, false) => format!("%{byte:02x}"),
    };
    text.bytes().map(one).collect()
}

fn json_of(text: &str) -> String {
    let literal = serde_json::to_string(text).unwrap();
    literal[1..literal.len() - 1].to_owned()
}

fn units(text: &str, upper: bool) -> String {
    let one = |unit: u16| match u8::try_from(unit) {
        Ok(byte) if is_word(byte) => char::from(byte).to_string(),
        _ if upper => format!("\\u{unit:04X}"),
        _ => format!("\\u{unit:04x}"),
    };
    text.encode_utf16().map(one).collect()
}

fn html(text: &str) -> String {
    let pairs = [
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("\"", "&quot;"),
        ("'", "&#39;"),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn base32(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1))
        .collect();
    let number = |bits: &[u8]| {
        bits.iter().fold(0, |all, bit| all << 1 | usize::from(*bit)) << (5 - bits.len())
    };
    bits.chunks(5)
        .map(|bits| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[number(bits)]))
        .collect()
}

fn nothing(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

fn twice(decode: Decode) -> impl Fn(&[u8]) -> Vec<u8> {
    move |bytes| decode(&decode(bytes))
}

/// Each form with a decoder that leads back to the value.
const FORMS: [(&str, Encode, Decode); 36] = [
    ("as it stands", |it| it.into(), nothing),
    (
        "percent",
        |it| percent_but(it, b"-._~", true).into(),
        percent,
    ),
    (
        "percent, lower",
        |it| percent_but(it, b"-._~", false).into(),
        percent,
    ),
    (
        "percent, path",
        |it| percent_but(it, b"/-._~", true).into(),
        percent,
    ),
    (
        "percent, userinfo",
        |it| percent_but(it, b"!$&'()*+,;=:-._~", true).into(),
        percent,
    ),
    (
        "percent, whole URI",
        |it| percent_but(it, b";/?:@&=+$,#-_.!~*'()", true).into(),
        percent,
    ),
    (
        "form",
        |it| percent_but(it, b"-._* ", true).replace(' ', "+").into(),
        percent_and_plus,
    ),
    (
        "percent, twice",
        |it| percent_but(&percent_but(it, b"", true), b"", true).into(),
        |it| twice(percent)(it),
    ),
    (
        "percent, every byte",
        |it| {
            it.bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect::<Vec<_>>()
                .concat()
                .into()
        },
        percent,
    ),
    ("JSON", |it| json_of(it).into(), json),
    (
        "JSON in JSON",
        |it| json_of(&json_of(it)).into(),
        |it| twice(json)(it),
    ),
    (
        "JSON in JSON in JSON",
        |it| json_of(&json_of(&json_of(it))).into(),
        |it| json(&twice(json)(it)),
    ),
    (
        "UTF-16 of JSON",
        |it| {
            let units = json_of(it).encode_utf16().collect::<Vec<_>>();
            units.into_iter().flat_map(u16::to_le_bytes).collect()
        },
        |it| json(&ucs(it, 2, false)),
    ),
    (
        "JSON with \\/",
        |it| json_of(it).replace('/', "\\/").into(),
        json,
    ),
    ("\\u", |it| units(it, false).into(), json),
    ("\\u, capital digits", |it| units(it, true).into(), json),
    (
        "\\u for each",
        |it| {
            it.encode_utf16()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<Vec<_>>()
                .concat()
                .into()
        },
        json,
    ),
    (
        "JSON of percent",
        |it| json_of(&percent_but(it, b"", false)).into(),
        |it| percent(&json(it)),
    ),
    ("HTML", |it| html(it).into(), entities),
    (
        "HTML, numbers",
        |it| {
            it.chars()
                .map(|it| format!("&#{};", u32::from(it)))
                .collect::<Vec<_>>()
                .concat()
                .into()
        },
        entities,
    ),
    (
        "HTML, hex numbers",
        |it| {
            it.chars()
                .map(|it| format!("&#x{:X};", u32::from(it)))
                .collect::<Vec<_>>()
                .concat()
                .into()
        },
        entities,
    ),
    (
        "shell, single quotes",
        |it| it.replace('\'', "'\\''").into(),
        |it| quoted(it, b"'\\''", b"'"),
    ),
    (
        "SQL",
        |it| it.replace('\'', "''").into(),
        |it| quoted(it, b"''", b"'"),
    ),
    (
        "shell, backslashes",
        |it| {
            it.chars()
                .map(|it| {
                    if it.is_ascii_punctuation() || it == ' ' {
                        format!("\\{it}")
                    } else {
                        it.into()
                    }
                })
                .collect::<Vec<_>>()
                .concat()
                .into()
        },
        json,
    ),
    (
        "hex",
        |it| {
            it.bytes()
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .concat()
                .into()
        },
        hex_digits,
    ),
    (
        "hex, capital",
        |it| {
            it.bytes()
                .map(|byte| format!("{byte:02X}"))
                .collect::<Vec<_>>()
                .concat()
                .into()
        },
        hex_digits,
    ),
    (
        "hex with colons",
        |it| {
            it.bytes()
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .join(":")
                .into()
        },
        hex_digits,
    ),
    (
        "base64",
        |it| STANDARD.encode(it).into(),
        |it| STANDARD.decode(it).unwrap_or_default(),
    ),
    (
        "base64 behind one byte",
        |it| STANDARD_NO_PAD.encode(format!("u{it}")).into(),
        |it| STANDARD_NO_PAD.decode(it).unwrap_or_default(),
    ),
    (
        "base64url behind two",
        |it| URL_SAFE_NO_PAD.encode(format!("u:{it}")).into(),
        |it| URL_SAFE_NO_PAD.decode(it).unwrap_or_default(),
    ),
    (
        "base64url",
        |it| URL_SAFE.encode(it).into(),
        |it| URL_SAFE.decode(it).unwrap_or_default(),
    ),
    (
        "base64 of base64",
        |it| STANDARD.encode(STANDARD.encode(format!("::{it}"))).into(),
        |it| {
            STANDARD
                .decode(STANDARD.decode(it).unwrap_or_default())
                .unwrap_or_default()
        },
    ),
    ("base32", |it| base32(it.as_bytes()).into(), undo_base32),
    (
        "UTF-16",
        |it| it.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        |it| ucs(it, 2, false),
    ),
    (
        "UTF-16, big-endian",
        |it| it.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        |it| ucs(it, 2, true),
    ),
    (
        "UTF-32",
        |it| {
            it.chars()
                .flat_map(|it| u32::from(it).to_le_bytes())
                .collect()
        },
        |it| ucs(it, 4, false),
    ),
];

fn hiding(value: &str) -> Redaction {
    Redaction {
        plan: Plan {
            mask: vec![MaskRule {
                name: "keys".to_owned(),
                pattern: Pattern::EnvValue("*_KEY".to_owned()),
                places: [Place::Memory, Place::Logs, Place::Files].into(),
            }],
            ..Plan::default()
        },
        values: vec![EnvValue {
            name: "API_KEY".to_owned(),
            value: value.as_bytes().to_vec(),
        }],
        ..Redaction::default()
    }
}

fn masked(value: &str, text: &[u8]) -> Vec<u8> {
    let (archive, _) = redact(hiding(value), &one("container.log", text)).unwrap();
    let members: Members = read_tar(&archive);
    member(&members, "container.log")
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Values of at least six letters, digits and signs, some of other alphabets.
fn any_value() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        6 => prop::char::ranges(vec!['a'..='z', 'A'..='Z', '0'..='9'].into()),
        2 => prop::char::range('!', '/'),
        1 => prop::sample::select(vec![' ', '\\', '~', '@', '^', '`', '|', '\u{e4}', '\u{20ac}', '\u{1f600}']),
    ];
    prop::collection::vec(sign, 8..48)
        .prop_map(|signs| format!("Zq{}", signs.into_iter().collect::<String>()))
        .prop_filter("no blanks at the ends", |value| value.trim() == value)
}

/// Values that have hardly any letters beside one another, with a quote among the first.
#[test]
fn every_form_of_a_value_of_signs_is_hidden() {
    for value in [
        r"Zq'A!a%A$\",
        "a'b'c'd'e",
        "x''y\"\"z'",
        r"'\a'\b'\c",
        "q'7\"x\\Zq\n8\u{e9}\u{20ac}K",
    ] {
        for (form, encode, decode) in FORMS {
            let around = [&b"\n\n"[..], &encode(value), b"\n\n"].concat();
            let hidden = masked(value, &around);
            let inner = &hidden[2..hidden.len() - 2];
            assert!(
                !has(&decode(inner), value.as_bytes()),
                "{form} of {value:?} stays: {}",
                String::from_utf8_lossy(inner)
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_form_of_a_value_is_hidden(value in any_value()) {
        for (form, encode, decode) in FORMS {
            let text = encode(&value);
            prop_assert!(has(&decode(&text), value.as_bytes()), "{form} of {value:?} is not undone");
            let around = [&b"\n\n"[..], &text, b"\n\n"].concat();
            let hidden = masked(&value, &around);
            prop_assert_eq!(hidden.len(), around.len());
            let inner = &hidden[2..hidden.len() - 2];
            prop_assert!(!has(&decode(inner), value.as_bytes()), "{form} of {value:?} stays: {}", String::from_utf8_lossy(inner));
            let masks = inner.split(|byte| *byte == b'*').count() - 1;
            prop_assert!(masks * 2 >= inner.len(), "{form} of {value:?}: {}", String::from_utf8_lossy(inner));
        }
    }

    #[test]
    fn look_alikes_stay(value in any_value(), other in any_value()) {
        prop_assume!(!other.to_lowercase().contains(&value.to_lowercase()));
        for (form, encode, _) in FORMS {
            let text = encode(&other);
            prop_assert_eq!(masked(&value, &text), text, "{} of {:?}", form, other);
        }
    }
}

#[test]
fn other_cases_and_first_bytes_are_hidden() {
    let value = "Qm4x-Zy9+Kp2/Wv7=Tt5-Lk3";
    for (text, wanted) in [
        ("QM4X-ZY9+KP2/WV7=TT5-LK3", "************************"),
        (
            "qm4x%2Dzy9%2Bkp2%2Fwv7%3Dtt5%2Dlk3",
            "**********************************",
        ),
        ("cut: Qm4x-Zy9+Kp2/Wv7", "cut: ****************"),
        ("thread: Qm4x-Zy9+Kp2/Wv", "thread: ***************"),
        ("cut: Qm4x-Zy9+Kp2/W", "cut: Qm4x-Zy9+Kp2/W"),
    ] {
        assert_eq!(
            String::from_utf8(masked(value, text.as_bytes())).unwrap(),
            wanted
        );
    }
}
