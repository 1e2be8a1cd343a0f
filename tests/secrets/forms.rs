//! Secrets, and the forms in which programs write them. The encoders share nothing with the redactor.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A form's name and its encoder.
type Form = (&'static str, fn(&str) -> Vec<u8>);

/// The first forms are of values with lines.
const WITH_LINES: usize = 2;

const FORMS: [Form; 31] = [
    ("CRLF", |it| it.replace('\n', "\r\n").into()),
    ("indented lines", |it| it.replace('\n', "\n    ").into()),
    ("as it stands", |it| it.into()),
    ("in capitals", |it| it.to_uppercase().into()),
    ("its first 16 bytes", |it| it.as_bytes()[..16].to_vec()),
    ("percent", |it| percent(it, "").into()),
    ("percent with /", |it| percent(it, "/").into()),
    ("percent of userinfo", |it| {
        percent(it, "!$&'()*+,;=").into()
    }),
    ("every byte in percent", |it| each(it, "%", "", true)),
    ("percent in small digits", |it| each(it, "%", "", false)),
    ("percent twice", |it| each(it, "%25", "", true)),
    ("hex", |it| each(it, "", "", false)),
    ("hex in capitals", |it| each(it, "", "", true)),
    ("hex with colons", |it| each(it, "", ":", true)),
    ("base64", |it| STANDARD.encode(it).into()),
    ("base64 behind one byte", |it| {
        STANDARD_NO_PAD.encode(format!("u{it}")).into_bytes()[2..].to_vec()
    }),
    ("base64url behind two", |it| {
        URL_SAFE_NO_PAD.encode(format!("u:{it}")).into_bytes()[3..].to_vec()
    }),
    ("base64 of base64", |it| {
        STANDARD.encode(STANDARD.encode(it)).into()
    }),
    ("base32", base32),
    ("JSON", |it| json(it).into()),
    ("JSON with \\/", |it| json(it).replace('/', "\\/").into()),
    ("JSON in JSON", |it| json(&json(it)).into()),
    ("JSON in escapes alone", |it| {
        let one = |unit| format!("\\u{unit:04x}");
        it.encode_utf16().map(one).collect::<String>().into()
    }),
    ("HTML in names", |it| {
        let pairs = [
            ("&", "&amp;"),
            ("<", "&lt;"),
            ("\"", "&quot;"),
            ("'", "&#39;"),
        ];
        let replaced = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        pairs.iter().fold(it.to_owned(), replaced).into()
    }),
    ("HTML in numbers", |it| {
        let one = |letter| format!("&#{};", u32::from(letter));
        it.chars().map(one).collect::<String>().into()
    }),
    ("shell", |it| it.replace('\'', r"'\''").into()),
    ("SQL", |it| it.replace('\'', "''").into()),
    ("UTF-16", |it| {
        it.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }),
    ("UTF-16, big-endian", |it| {
        it.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }),
    ("UTF-32", |it| {
        it.chars()
            .flat_map(|it| u32::from(it).to_le_bytes())
            .collect()
    }),
    ("UTF-32, big-endian", |it| {
        it.chars()
            .flat_map(|it| u32::from(it).to_be_bytes())
            .collect()
    }),
];

/// A random value, and one of its forms.
pub struct Secret {
    pub value: String,
    pub form: &'static str,
    /// The value in this form.
    pub text: Vec<u8>,
}

impl Secret {
    /// With the signs that encoders treat differently in its middle.
    fn new(number: usize) -> Self {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        let digits = format!("{:032x}", u128::from_be_bytes(bytes));
        let at = number % FORMS.len();
        let (form, encode) = FORMS[at];
        let signs = if at < WITH_LINES { "\n" } else { "'\"/&<+é" };
        // No number begins so, which would be too common to be hidden alone.
        let value = format!("k{}{signs}{}", &digits[..15], &digits[16..]);
        let text = encode(&value);
        Self { value, form, text }
    }

    /// The part before its signs, which is the same in JSON.
    pub fn beginning(&self) -> &[u8] {
        &self.value.as_bytes()[..16]
    }

    pub fn has_lines(&self) -> bool {
        self.value.contains('\n')
    }
}

pub fn secrets(count: usize) -> Vec<Secret> {
    (0..count).map(Secret::new).collect()
}

/// All of them as variables `SECRET_0` to `SECRET_N`.
pub fn variables(secrets: &[Secret]) -> Vec<(String, String)> {
    let numbered = secrets.iter().enumerate();
    numbered
        .map(|(at, secret)| (format!("SECRET_{at}"), secret.value.clone()))
        .collect()
}

fn percent(value: &str, kept: &str) -> String {
    let one = |byte: u8| {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || kept.contains(letter) {
            letter.to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    value.bytes().map(one).collect()
}

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

/// Without the quotes around it.
fn json(value: &str) -> String {
    let literal = serde_json::to_string(value).unwrap();
    literal[1..literal.len() - 1].to_owned()
}
