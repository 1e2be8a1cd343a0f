//! Tells values that may be secrets from names, placeholders and templates in programs and documents.

/// Whether a value only stands for a secret: a template, a mask, or a word for it.
pub(in crate::search) fn is_placeholder(value: &[u8]) -> bool {
    let one = value
        .first()
        .is_none_or(|first| value.iter().all(|byte| byte == first));
    let starts: [&[u8]; 9] = [b"$", b"%s", b"%v", b"%d", b"{", b"<", b"%(", b"[", b"@{"];
    let template = starts.iter().any(|start| value.starts_with(start))
        || has(value, b"${")
        || has(value, b"{{")
        || has(value, b"<%")
        || has(value, b"#{");
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

fn has(value: &[u8], piece: &[u8]) -> bool {
    memchr::memmem::find(value, piece).is_some()
}

/// Whether it is a name or an expression of a program, or prose: words of at least three letters on average, joined by what
/// joins names or by spaces, without digits but at the end.
pub(super) fn is_words(value: &[u8]) -> bool {
    let fits = |byte: u8| {
        byte.is_ascii_alphabetic()
            || !byte.is_ascii()
            || b"_.$-[](){}=|!:,/' ?;\"\\".contains(&byte)
    };
    let kept = value
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |last| last + 1);
    let (body, digits) = value.split_at(kept);
    if digits.len() > 1 || !body.iter().all(|&byte| fits(byte)) {
        return false;
    }
    let letters = body.iter().filter(|byte| is_letter(**byte)).count();
    letters >= 3 * words(body)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

/// The number of words: a new one begins at a letter after something else, and at a capital after a small letter.
fn words(text: &[u8]) -> usize {
    let mut last = b' ';
    let mut count = 0;
    for &byte in text {
        let begins = is_letter(byte)
            && (!is_letter(last) || (byte.is_ascii_uppercase() && last.is_ascii_lowercase()));
        count += usize::from(begins);
        last = byte;
    }
    count.max(1)
}

/// Whether a credential that is found by a word before it is one: long enough, and neither placeholder nor words.
pub(super) fn is_secret(value: &[u8]) -> bool {
    const LEAST: usize = 8;
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
