//! Tells values that may be secrets from names, placeholders and templates in programs and documents.

use std::ops::Range;

use super::known::{Counted, Text};

/// The shortest credential that a word before it gives away.
const LEAST: usize = 8;

/// Whether a value only stands for a secret: a template, a mask, or a word for it.
pub(in crate::search) fn is_placeholder(value: &[u8]) -> bool {
    let one = value
        .first()
        .is_none_or(|first| value.iter().all(|byte| byte == first));
    let starts: [&[u8]; 9] = [b"$", b"%s", b"%v", b"%d", b"{", b"<", b"%(", b"[", b"@{"];
    let template = starts.iter().any(|start| value.starts_with(start)) || has_template(value);
    let words: [&[u8]; 11] = [
        b"password",
        b"passwd",
        b"redacted",
        b"secret",
        b"changeme",
        b"change_me",
        b"undefined",
        b"required",
        b"example",
        b"optional",
        b"yourpassword",
    ];
    one || template || words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// `${`, `{{`, `#{` or `<%`.
fn has_template(value: &[u8]) -> bool {
    memchr::memchr2_iter(b'{', b'%', value).any(|at| {
        let before = at.checked_sub(1).and_then(|before| value.get(before));
        match value.get(at) {
            Some(b'{') => matches!(before, Some(b'$' | b'{' | b'#')),
            _ => before == Some(&b'<'),
        }
    })
}

/// Whether it is a name or an expression of a program, or prose: words of at least three letters on average, joined by what
/// joins names or by spaces, without digits but at the end.
pub(super) fn is_words(value: &[u8]) -> bool {
    let kept = value
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |last| last + 1);
    let (body, digits) = value.split_at(kept);
    if digits.len() > 1 || !body.iter().all(|&byte| fits_words(byte)) {
        return false;
    }
    let letters = body.iter().filter(|byte| is_letter(**byte)).count();
    letters >= 3 * words(body)
}

fn fits_words(byte: u8) -> bool {
    is_letter(byte) || b"_.$-[](){}=|!:,/' ?;\"\\".contains(&byte)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

fn begins_a_word(last: u8, byte: u8) -> bool {
    is_letter(byte)
        && (!is_letter(last) || (byte.is_ascii_uppercase() && last.is_ascii_lowercase()))
}

/// The number of words: a new one begins at a letter after something else, and at a capital after a small letter.
fn words(text: &[u8]) -> usize {
    let mut last = b' ';
    let mut count = 0;
    for &byte in text {
        count += usize::from(begins_a_word(last, byte));
        last = byte;
    }
    count.max(1)
}

/// As [`is_secret`], of a part of a text. Each of the two kinds of values is counted on its own.
pub(super) fn is_secret_part(text: &Text<'_>, part: Range<usize>, kind: usize) -> bool {
    let value = text.get(part.clone());
    value.is_some_and(|value| value.len() >= LEAST && !is_placeholder(value))
        && !is_words_part(text, part, kind)
}

/// As [`is_words`], of a part of a text.
pub(super) fn is_words_part(text: &Text<'_>, part: Range<usize>, kind: usize) -> bool {
    let digit = |before: usize| {
        let at = part.end.checked_sub(before).filter(|at| part.contains(at));
        at.and_then(|at| text.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    if digit(1) && digit(2) {
        return false;
    }
    let body = part.start..part.end - usize::from(digit(1));
    if text.run(body.start, body.len(), fits_words) < body.end {
        return false;
    }
    let (letters, words) = counted(text, body, kind);
    letters >= 3 * words
}

/// The letters and words of a part, of which most was often counted before: the last part's are taken, and what differs.
fn counted(text: &Text<'_>, part: Range<usize>, kind: usize) -> (usize, usize) {
    let Some(known) = text.known.counted.get(kind) else {
        return (0, 0);
    };
    let (start, end) = (text.base + part.start, text.base + part.end);
    let letter = |at: usize| usize::from(letter_at(text, at));
    let mut now = known.get();
    if !(now.start..=now.end).contains(&start) || now.start < text.base {
        now = Counted {
            start,
            end: start,
            ..Counted::default()
        };
    }
    while now.end < end {
        now.letters += letter(now.end);
        now.words += usize::from(now.end > now.start && begins(text, now.end));
        now.end += 1;
    }
    while now.end > end {
        now.end -= 1;
        now.letters -= letter(now.end);
        now.words -= usize::from(now.end > now.start && begins(text, now.end));
    }
    while now.start < start {
        now.letters -= letter(now.start);
        now.start += 1;
        now.words -= usize::from(now.start < now.end && begins(text, now.start));
    }
    known.set(now);
    let first = usize::from(start < end) * letter(start);
    (now.letters, (now.words + first).max(1))
}

fn letter_at(text: &Text<'_>, position: usize) -> bool {
    text.get(position - text.base)
        .copied()
        .is_some_and(is_letter)
}

/// Whether a word begins there, behind another byte.
fn begins(text: &Text<'_>, position: usize) -> bool {
    let at = position - text.base;
    let pair = text.get(at - 1).zip(text.get(at));
    pair.is_some_and(|(&last, &byte)| begins_a_word(last, byte))
}

/// Whether a credential that is found by a word before it is one: long enough, and neither placeholder nor words.
pub(super) fn is_secret(value: &[u8]) -> bool {
    value.len() >= LEAST && !is_placeholder(value) && !is_words(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_names_and_prose_from_secrets() {
        for words in [
            "options.password",
            "passwordField",
            "PASSWORD_DEFAULT",
            "this.state.value",
            "getPassword()",
            "Enter your new password!",
            "current-password",
            "validatePassword2",
            "correcthorse",
        ] {
            assert!(is_words(words.as_bytes()), "{words}");
        }
        for secret in [
            "Vl06nBANYZefCN",
            "hunter22",
            "s3cretvalue",
            "aBcDeFgHiJkLmN",
            "correct horse 99",
            "x!y#z@w%",
        ] {
            assert!(!is_words(secret.as_bytes()), "{secret}");
        }
        for placeholder in [
            "${PASSWORD}",
            "<password>",
            "********",
            "{{ .Values.p }}",
            "changeme",
        ] {
            assert!(is_placeholder(placeholder.as_bytes()), "{placeholder}");
        }
    }
}
