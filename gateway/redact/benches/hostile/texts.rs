//! Texts that nearly hold what is searched for, long and deep documents, and large environments.

use std::io::{self, Write};

use crate::bytes::{Numbers, VALUE, checkpoint, copies, end_checkpoint, file, image, message};
use crate::{Case, Unpacked};

const BYTES: usize = 64 << 20;

pub(crate) const CASES: &[Case] = &[
    Case::new("memory: half of the value", |out| {
        repeated(out, VALUE.get(..16).unwrap_or_default())
    }),
    Case::new("memory: all but the last byte", |out| {
        repeated(out, VALUE.get(..32).unwrap_or_default())
    }),
    Case::new("memory: nothing but the value", |out| repeated(out, VALUE)),
    Case::new("memory: first letter of the value", |out| {
        repeated(out, b"H")
    }),
    Case::new("memory: first six of the value", |out| {
        repeated(out, b"Hk29-p")
    }),
    Case::new("memory: the value, half escaped", |out| {
        repeated(out, br"Hk29\u002dpale\u002dWal")
    }),
    Case::new("memory: \\u00", |out| repeated(out, br"\u00")),
    Case::new("memory: \\u0048", |out| repeated(out, br"\u0048")),
    Case::new("memory: backslashes", |out| repeated(out, br"\")),
    Case::new("memory: %25", |out| repeated(out, b"%25")),
    Case::new("memory: %48", |out| repeated(out, b"%48")),
    Case::new("memory: %", |out| repeated(out, b"%")),
    Case::new("memory: &amp;", |out| repeated(out, b"&amp;")),
    Case::new("memory: &amp;amp;...", |out| {
        repeated(out, b"&amp;amp;amp;amp;amp;#72;")
    }),
    Case::new("memory: &#72;", |out| repeated(out, b"&#72;")),
    Case::new("memory: &", |out| repeated(out, b"&")),
    Case::new("memory: \\x48", |out| repeated(out, br"\x48")),
    Case::new("memory: quotes", |out| repeated(out, br#"'"'"'"#)),
    Case::new("memory: the value in UTF-16, cut", |out| {
        let wide: Vec<u8> = VALUE.iter().take(30).flat_map(|byte| [*byte, 0]).collect();
        repeated(out, &wide)
    }),
    Case::new("memory: hex of half of the value", |out| {
        let digit = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or_default();
        let half = VALUE.iter().take(16);
        let hex: String = half
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
            .collect();
        repeated(out, hex.as_bytes())
    }),
    Case::new("memory: base64 of half of it", |out| {
        repeated(out, b"SGsyOS1wYWxlLVdhbG51")
    }),
    Case::new("memory: lines of it", |out| {
        repeated(out, b"Hk29-pale-\r\n  Walnut-774x\n")
    }),
    Case::new("memory: every variable's name", |out| {
        repeated(out, b"API_KEY=")
    }),
    Case::new("log: half of the value", |out| {
        checkpoint(
            out,
            "container.log",
            &VALUE.get(..16).unwrap_or_default().repeat(BYTES / 16),
        )
        .map(|()| Unpacked(0))
    }),
    Case::new("files: half of the value each", |out| {
        let text = VALUE.get(..16).unwrap_or_default().repeat(64);
        checkpoint(out, "rootfs-diff.tar", &copies(&text, 40_000)?).map(|()| Unpacked(0))
    }),
    Case::new("document: deep", |out| document(out, &"[".repeat(15 << 20))),
    Case::new("document: deep objects", |out| {
        document(out, &"{\"a\":".repeat(3 << 20))
    }),
    Case::new("document: one long string", |out| {
        document(out, &format!("\"{}\"", "x".repeat(15 << 20)))
    }),
    Case::new("document: escapes", |out| {
        document(out, &format!("\"{}\"", r"\u0048".repeat(2 << 20)))
    }),
    Case::new("document: many strings", |out| {
        document(out, &format!("[{}1]", "\"Hk29-pale\",".repeat(1 << 20)))
    }),
    Case::new("document: documents in strings", |out| {
        let mut inner = "[\"PASSWORD=Hk29-pale\"]".repeat(1000);
        while inner.len() < 4 << 20 {
            inner = serde_json::Value::from(inner).to_string();
        }
        document(out, &format!("{{\"a\":{inner}}}"))
    }),
    Case::new("environment: 64 KiB of secrets", |out| {
        environment(out, 1500, 24)
    }),
    Case::new("environment: 1 MiB of secrets", |out| {
        environment(out, 12_000, 70)
    }),
    Case::new("environment: long values", |out| {
        environment(out, 100, 10_000)
    }),
    Case::new("environment: one of 1 MiB", |out| {
        environment(out, 1, 1 << 20)
    }),
    Case::new("environment: values of one start", |out| {
        let one = |at: u32| format!("SECRET_{at}=the-same-beginning-of-all-{at:08}");
        let all: Vec<_> = (0..10_000).map(one).collect();
        memory(out, b"the-same-beginning-of-all-", &all)
    }),
    Case::new("environment: nested values", |out| {
        let one = |at: usize| format!("SECRET_{at}={}", "ab".repeat(at + 4));
        let all: Vec<_> = (0..600).map(one).collect();
        memory(out, b"ab", &all)
    }),
    Case::new("environment: runs of one letter", |out| {
        let one = |at: usize| format!("SECRET_{at}={}", "a".repeat(at + 8));
        let all: Vec<_> = (0..600).map(one).collect();
        memory(out, b"a", &all)
    }),
    Case::new("environment: common values", |out| {
        let one = |at: usize| format!("SECRET_{at}=/var/lib/data/{at}");
        let all: Vec<_> = (0..10_000).map(one).collect();
        memory(out, b"SECRET_12=/var/lib/", &all)
    }),
    Case::new("environment: many URLs", |out| {
        let one = |at: usize| format!("URL_{at}=postgres://user:pass-word-{at}@db/{at}");
        let all: Vec<_> = (0..4000).map(one).collect();
        memory(out, b"postgres://user:pass-word-1", &all)
    }),
    Case::new("environment: halves of 10,000 values", halves),
];

/// Memory of one process that holds nothing but `text`, over and over.
fn repeated(out: &mut dyn Write, text: &[u8]) -> io::Result<Unpacked> {
    let known = String::from_utf8_lossy(VALUE).into_owned();
    memory(out, text, &[format!("API_KEY={known}")])
}

fn memory(out: &mut dyn Write, text: &[u8], environment: &[String]) -> io::Result<Unpacked> {
    let mut pages = text.repeat(BYTES / text.len());
    pages.resize(BYTES, 0);
    let pages_count = (BYTES / 4096) as u64;
    let map = image([
        message(&[(1, 1)]),
        message(&[(1, 1 << 40), (2, 0), (4, 4), (5, pages_count)]),
    ]);
    file(out, "checkpoint/pagemap-1.img", &map)?;
    file(out, "checkpoint/pages-1.img", &pages)?;
    end_checkpoint(out, environment)?;
    Ok(Unpacked(0))
}

/// Several of the largest documents: those of CRI-O have more than one.
fn document(out: &mut dyn Write, text: &str) -> io::Result<Unpacked> {
    for name in ["status.dump", "bind.mounts", "spec.dump", "config.dump"] {
        file(out, name, text.as_bytes())?;
    }
    out.write_all(&crate::bytes::END)?;
    Ok(Unpacked(0))
}

fn environment(out: &mut dyn Write, count: usize, length: usize) -> io::Result<Unpacked> {
    let all = secrets(count, length);
    let text = all.first().map(|text| text.as_bytes().to_vec());
    let text = text.and_then(|text| Some(text.get(..text.len().min(40))?.to_vec()));
    memory(out, &text.unwrap_or_default(), &all)
}

fn secrets(count: usize, length: usize) -> Vec<String> {
    const LETTERS: &[u8] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=&%\"\\ $@";
    let mut numbers = Numbers(1);
    let mut letter = || {
        let at = usize::try_from((numbers.next() >> 20) % LETTERS.len() as u64).unwrap_or_default();
        char::from(LETTERS.get(at).copied().unwrap_or(b'a'))
    };
    (0..count)
        .map(|at| {
            format!(
                "SECRET_{at}={}",
                (0..length).map(|_| letter()).collect::<String>()
            )
        })
        .collect()
}

/// The first half of each of many values, one after the other.
fn halves(out: &mut dyn Write) -> io::Result<Unpacked> {
    let all = secrets(10_000, 32);
    let half = |text: &String| {
        text.split_once('=')
            .and_then(|(_, value)| value.get(..15).map(str::to_owned))
    };
    let text: String = all.iter().filter_map(half).collect();
    memory(out, text.as_bytes(), &all)
}
