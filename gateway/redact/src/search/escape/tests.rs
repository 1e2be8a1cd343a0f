//! Each form of a value is found whole, by encoders that share nothing with the reader.

use super::*;

fn found(value: &str, extent: Extent, text: &[u8]) -> Vec<(usize, usize)> {
    let value = EscapedValue::new(value.as_bytes().to_vec(), extent);
    let mut all = BTreeSet::new();
    for spot in value.spots() {
        let found = (0..text.len()).filter_map(|at| value.find(spot, text, at, &mut 0));
        all.extend(found.map(|range| (range.start, range.end)));
    }
    all.into_iter().collect()
}

/// Asserts that the whole of `form` is found in a text around it.
fn assert_found(value: &str, form: &str) {
    let text = format!("x {form} y");
    let wanted = (2, 2 + form.len());
    let found = found(value, Extent::Everything, text.as_bytes());
    assert!(found.contains(&wanted), "{value:?} as {form:?}: {found:?}");
}

const VALUE: &str = "Qm4 x/y+z=p&q~r!s't\"k(u)v*w:k@i\\j-3271";

fn each(escape: impl Fn(char) -> String) -> String {
    VALUE.chars().map(escape).collect()
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric()
}

#[test]
fn finds_percent_encoding_whatever_is_kept() {
    for kept in [
        "",
        "/",
        "-._~",
        "!'()*",
        ";/?:@&=+$,#-_.!~*'()",
        "$&+=:@-_.~",
    ] {
        let keeps = |it: char| is_word(it) || kept.contains(it);
        let upper = each(|it| {
            if keeps(it) {
                it.into()
            } else {
                format!("%{:02X}", u32::from(it))
            }
        });
        let lower = each(|it| {
            if keeps(it) {
                it.into()
            } else {
                format!("%{:02x}", u32::from(it))
            }
        });
        assert_found(VALUE, &upper);
        assert_found(VALUE, &lower);
        assert_found(VALUE, &upper.replace("%20", "+"));
        assert_found(VALUE, &upper.replace('%', "%25"));
        assert_found(VALUE, &lower.replace('%', "%2525"));
    }
}

#[test]
fn finds_every_character_escaped() {
    for sign in ["%", "%25", "\\x", "\\\\x", "\\u00", "\\\\u00"] {
        assert_found(VALUE, &each(|it| format!("{sign}{:02x}", u32::from(it))));
        assert_found(VALUE, &each(|it| format!("{sign}{:02X}", u32::from(it))));
    }
    assert_found(VALUE, &each(|it| format!("&#{};", u32::from(it))));
    assert_found(VALUE, &each(|it| format!("&#x{:x};", u32::from(it))));
    assert_found(VALUE, &each(|it| format!("&#X{:X};", u32::from(it))));
    assert_found(VALUE, &each(|it| format!("\\{:03o}", u32::from(it))));
}

#[test]
fn finds_json_in_json() {
    for value in [VALUE, "line one\nline \"two\"\t\u{1f600} <ü> / end"] {
        let mut text = value.to_owned();
        for _ in 0..3 {
            let json = serde_json::to_string(&text).unwrap();
            text = json[1..json.len() - 1].to_owned();
            assert_found(value, &text);
            assert_found(value, &text.replace('/', "\\/"));
        }
        let ascii: String = value
            .encode_utf16()
            .map(|unit| match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                _ => format!("\\u{unit:04X}"),
            })
            .collect();
        assert_found(value, &ascii);
        assert_found(value, &ascii.to_lowercase().replace("qm4", "Qm4"));
        assert_found(value, &ascii.replace('\\', "\\\\"));
    }
}

#[test]
fn finds_html() {
    let named = VALUE
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('\'', "&#039;");
    assert_found(VALUE, &named);
    assert_found(VALUE, &named.replace('&', "&amp;"));
    assert_found(
        VALUE,
        &named.replace("&#039;", "&apos;").replace('/', "&#x2F;"),
    );
    assert_found("pässwörd", "p&auml;ssw&ouml;rd");
    assert_found("abc&b<c>d", "abc\\u0026amp;b\\u0026lt;c\\u0026gt;d");
}

#[test]
fn finds_quotes_of_shells_and_of_sql() {
    assert_found(VALUE, &VALUE.replace('\'', "'\\''"));
    assert_found(VALUE, &VALUE.replace('\'', "'\"'\"'"));
    assert_found(VALUE, &VALUE.replace('\'', "''"));
    assert_found(VALUE, &VALUE.replace('"', "\"\""));
    assert_found(VALUE, &VALUE.replace('\\', "\\\\").replace('"', "\\\""));
    assert_found(
        VALUE,
        &each(|it| {
            if is_word(it) {
                it.into()
            } else {
                format!("\\{it}")
            }
        }),
    );
    assert_found("tab\tand 'quote'", "tab\\tand \\'quote\\'");
}

#[test]
fn finds_other_line_ends_and_indentation() {
    let value = "-----BEGIN KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END KEY-----\n";
    assert_found(value, &value.replace('\n', "\r\n"));
    assert_found(value, &value.replace('\n', "\\n"));
    assert_found(value, &value.replace('\n', "\\r\\n"));
    let trimmed = value.trim_end();
    assert_found(trimmed, &trimmed.replace('\n', "\n      "));
    assert_found(trimmed, &trimmed.replace('\n', "\r\n\t"));
    assert_found(trimmed, &trimmed.replace('\n', "\\n    "));
}

#[test]
fn finds_wide_texts() {
    for value in [VALUE, "pässwörd-\u{1f600}x"] {
        for (width, size) in [
            (Width::Utf16Little, 2),
            (Width::Utf16Big, 2),
            (Width::Utf32Little, 4),
            (Width::Utf32Big, 4),
        ] {
            for text in [
                value.to_owned(),
                value.replace('-', "%2D"),
                value.replace('-', "\\u002d"),
            ] {
                let mut bytes = vec![b'.'; size];
                bytes.extend(width.write(&text));
                let end = bytes.len();
                bytes.extend(vec![0; size]);
                let found = found(value, Extent::Everything, &bytes);
                assert!(found.contains(&(size, end)), "{width:?} {text}: {found:?}");
            }
        }
    }
}

#[test]
fn finds_values_of_few_letters() {
    for value in ["a+b/c=d&e", "!@#$%^&*()", "п-а-р-о-л-ь", "x y\nz'q\"r"] {
        let percent: Vec<String> = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let percent = percent.concat();
        assert_found(value, &percent);
        assert_found(value, value);
        let json = serde_json::to_string(value).unwrap();
        assert_found(value, &json[1..json.len() - 1]);
        let kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"-*".contains(byte);
        let reserved = value.bytes().map(|byte| {
            let own = Some(byte)
                .filter(kept)
                .map(|byte| char::from(byte).to_string());
            own.unwrap_or_else(|| format!("%{byte:02x}"))
        });
        let reserved = reserved.collect::<Vec<_>>().concat();
        assert_found(value, &reserved);
        assert_found(
            value,
            &value
                .replace('&', "&amp;")
                .replace('\'', "&#39;")
                .replace('"', "&#34;"),
        );
    }
}

#[test]
fn leaves_what_only_looks_alike() {
    for text in [
        "Qm4 x/y+z=p&q~r!s't\"k(u)v*w:k@i\\j-327",
        "Qm4%20x%2Fy%2Bz",
        "q~r!s't",
        "%51%6D%34%21",
    ] {
        assert_eq!(
            found(VALUE, Extent::Everything, text.as_bytes()),
            [],
            "{text}"
        );
    }
    assert_eq!(
        found("hunter2&co", Extent::Everything, b"hunter2&amp,co"),
        []
    );
    assert_eq!(found("hunter2&co", Extent::Everything, b"hunter2 co"), []);
}
