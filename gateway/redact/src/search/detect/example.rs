//! Makes examples of secrets, anew each time, so that nothing that looks like a secret stands in the repository.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::known::{Known, Text};
use super::token::Token;

/// Pseudo-random numbers: the same state gives the same examples.
#[derive(Debug)]
pub(in super::super) struct Numbers(u64);

impl Numbers {
    pub(in super::super) fn new(state: u64) -> Self {
        Self(state)
    }

    /// Knuth, TAOCP 3.3.4: MMIX.
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Letters and digits that satisfy `is`.
    fn bytes(&mut self, is: impl Fn(u8) -> bool, length: usize) -> Vec<u8> {
        let letters = (b'0'..=b'z').filter(u8::is_ascii_alphanumeric);
        let alphabet: Vec<u8> = letters.filter(|&byte| is(byte)).collect();
        let one = |_| {
            let index = self.next() % (alphabet.len().max(1) as u64);
            let index = usize::try_from(index).unwrap_or_default();
            alphabet.get(index).copied().unwrap_or(b'0')
        };
        (0..length).map(one).collect()
    }
}

/// An example of a token whose part after the fixed piece has `length` bytes.
pub(in super::super) fn of_token(token: &Token, length: usize, numbers: &mut Numbers) -> Vec<u8> {
    let mut made = Vec::new();
    // Some have no digit by chance.
    for _ in 0..1000 {
        made = numbers.bytes(token.head.0, token.head.1);
        made.extend(token.fixed.bytes());
        made.extend(numbers.bytes(token.is, length));
        shape(token.kind, &mut made);
        let known = Known::default();
        if token
            .find(&Text::new(&made, 0, &known), token.head.1)
            .is_some()
        {
            break;
        }
    }
    made
}

/// Puts in the separators that a format has.
fn shape(kind: &str, made: &mut [u8]) {
    let mut put = |at: usize, piece: &[u8]| {
        if let Some(part) = made.get_mut(at..at + piece.len()) {
            part.copy_from_slice(piece);
        }
    };
    match kind {
        "OpenAI" => put(0, b"sk-"),
        "SendGrid" => put(25, b"."),
        "k3s" => {
            put(3, &b"0123456789abcdef".repeat(4));
            put(67, b"::");
        }
        "Discord webhook" => put(14, b"223456789012345678/"),
        "1Password secret key" => [9, 21, 27, 33].into_iter().for_each(|at| put(at, b"-")),
        _ => {}
    }
}

/// An example after a template, in which `«20»` stands for 20 letters and digits, `«d20»` for digits, `«h20»` for hex digits,
/// `«u20»` for capitals and digits of base32, and `«b20»` for a user and a password of 20 bytes in base64.
pub(in super::super) fn of_template(template: &str, numbers: &mut Numbers) -> String {
    let mut parts = template.split('«');
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (class, rest) = part.split_once('»').unwrap_or((part, ""));
        let length = class.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        let length = length.parse().unwrap_or_default();
        let bytes = match class.chars().next() {
            Some('d') => numbers.bytes(|byte| byte.is_ascii_digit(), length),
            Some('h') => numbers.bytes(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'), length),
            Some('u') => numbers.bytes(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'), length),
            Some('b') => {
                let pair = [b"app:", numbers.bytes(|_| true, length).as_slice()].concat();
                STANDARD.encode(pair).into_bytes()
            }
            _ => numbers.bytes(|_| true, length),
        };
        made.push_str(&String::from_utf8_lossy(&bytes));
        made.push_str(rest);
    }
    made
}
