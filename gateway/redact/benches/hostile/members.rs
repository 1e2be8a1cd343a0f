//! Archives of very many or very strange members.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::bytes::{END, checkpoint, copies, end_checkpoint, file, header, pack, tar};
use crate::{Case, Unpacked};

pub(crate) const CASES: &[Case] = &[
    Case::new("members: empty", |out| {
        (0..150_000).try_for_each(|at| file(out, &format!("data/{at}"), b""))?;
        end(out)
    }),
    Case::new("members: ten bytes each", |out| {
        (0..100_000).try_for_each(|at| file(out, &format!("data/{at}"), b"ten bytes."))?;
        end(out)
    }),
    Case::new("members: tiny gzip", |out| tiny_members(out, &gzip(b"x")?)),
    Case::new("members: tiny tar", |out| {
        tiny_members(out, &copies(b"x", 1)?)
    }),
    Case::new("members: tiny zip", |out| {
        tiny_members(out, &crate::makers::zip(1, b"x"))
    }),
    Case::new("members: tiny lz4", |out| {
        tiny_members(out, &pack("lz4", &["-c"], b"x")?)
    }),
    Case::new("members: tiny zstd", |out| {
        tiny_members(out, &pack("zstd", &["-c"], b"x")?)
    }),
    Case::slow("members: tiny bzip2", |out| {
        tiny_members(out, &pack("bzip2", &["-c"], b"x")?)
    }),
    Case::slow("members: tiny xz", |out| {
        tiny_members(out, &pack("xz", &["-c"], b"x")?)
    }),
    Case::new("files: 100,000 empty", |out| {
        diff(out, &copies(b"", 100_000)?)
    }),
    Case::new("files: 100,000 of ten bytes", |out| {
        diff(out, &copies(b"ten bytes.", 100_000)?)
    }),
    Case::new("files: tiny gzip", |out| {
        diff(out, &copies(&gzip(b"x")?, 60_000)?)
    }),
    Case::new("files: tiny gzip with a secret", |out| {
        diff(out, &copies(&gzip(crate::bytes::VALUE)?, 60_000)?)
    }),
    Case::new("files: tiny tar", |out| {
        diff(out, &copies(&copies(b"x", 1)?, 30_000)?)
    }),
    Case::new("files: tiny zip", |out| {
        diff(out, &copies(&crate::makers::zip(1, b"x"), 60_000)?)
    }),
    Case::new("files: tiny zip with a secret", |out| {
        diff(
            out,
            &copies(&crate::makers::zip(1, crate::bytes::VALUE), 60_000)?,
        )
    }),
    Case::new("files: tiny lz4", |out| {
        diff(out, &copies(&pack("lz4", &["-c"], b"x")?, 60_000)?)
    }),
    Case::new("files: tiny zstd", |out| {
        diff(out, &copies(&pack("zstd", &["-c"], b"x")?, 60_000)?)
    }),
    Case::new("files: tiny zstd, wide windows", |out| {
        diff(
            out,
            &copies(&crate::makers::zstd_frame(0x58, 1, 1), 60_000)?,
        )
    }),
    Case::slow("files: tiny bzip2", |out| {
        diff(out, &copies(&pack("bzip2", &["-c"], b"x")?, 60_000)?)
    }),
    Case::slow("files: tiny xz", |out| {
        diff(out, &copies(&pack("xz", &["-c"], b"x")?, 60_000)?)
    }),
    Case::slow("files: tiny xz, wide windows", |out| {
        diff(out, &copies(&pack("xz", &["-c", "-9"], b"x")?, 60_000)?)
    }),
    Case::new("files: encrypted", |out| {
        diff(out, &copies(b"age-encryption.org/v1\n", 100_000)?)
    }),
    Case::new("links: 100,000 hard links", |out| links(out, b"just text")),
    Case::new("links: to what is left out", |out| {
        links(out, b"age-encryption.org/v1\n")
    }),
    Case::new("links: symbolic, to long names", |out| {
        let mut tar = Vec::new();
        for at in 0..100_000 {
            let to = format!("{at:/<100}");
            tar.extend(header(format!("a{at}").as_bytes(), 0, b'2', to.as_bytes()));
        }
        tar.extend(END);
        diff(out, &tar)
    }),
    Case::new("pax: long values", |out| {
        with_headers(out, 100, b'x', &record("comment", &"ab".repeat(400_000)))
    }),
    Case::new("pax: many records", |out| {
        with_headers(out, 100, b'x', &record("a", "b").repeat(100_000))
    }),
    Case::new("pax: many tiny headers", |out| {
        with_headers(out, 60_000, b'x', &record("comment", "b"))
    }),
    Case::new("pax: many attributes", |out| {
        let records: String = (0..20_000)
            .map(|at| record(&format!("SCHILY.xattr.user.{at}"), "value"))
            .collect();
        with_headers(out, 100, b'x', &records)
    }),
    Case::new("long names of GNU", |out| {
        with_headers(out, 800, b'L', &format!("{}\0", "a/".repeat(30_000)))
    }),
    Case::new("tar in tar in tar", |out| {
        let inner = copies(b"x", 100)?;
        let middle = copies(&inner, 10)?;
        diff(out, &copies(&middle, 60)?)
    }),
    Case::new("tar in tar in tar, with a secret", |out| {
        let inner = copies(crate::bytes::VALUE, 100)?;
        let middle = copies(&inner, 10)?;
        diff(out, &copies(&middle, 60)?)
    }),
    Case::new("tar in tar, each left out", |out| {
        let inner = copies(b"age-encryption.org/v1\n", 100)?;
        diff(out, &copies(&inner, 600)?)
    }),
];

fn end(out: &mut dyn Write) -> io::Result<Unpacked> {
    end_checkpoint(out, &[]).map(|()| Unpacked(0))
}

/// Each counts once more as what it unpacks to, which is next to nothing.
fn tiny_members(out: &mut dyn Write, contents: &[u8]) -> io::Result<Unpacked> {
    (0..60_000).try_for_each(|at| file(out, &format!("data/{at}"), contents))?;
    end(out)
}

/// A changed root file system.
fn diff(out: &mut dyn Write, tar: &[u8]) -> io::Result<Unpacked> {
    checkpoint(out, "rootfs-diff.tar", tar).map(|()| Unpacked(0))
}

fn links(out: &mut dyn Write, first: &[u8]) -> io::Result<Unpacked> {
    let mut all = tar([("first".to_owned(), first)].into_iter())?;
    all.truncate(all.len() - END.len());
    for at in 0..100_000 {
        all.extend(header(format!("data/{at}").as_bytes(), 0, b'1', b"first"));
    }
    all.extend(END);
    diff(out, &all)
}

/// Files behind headers of `kind` that hold `text`.
fn with_headers(out: &mut dyn Write, count: usize, kind: u8, text: &str) -> io::Result<Unpacked> {
    let mut all = Vec::new();
    for at in 0..count {
        all.extend(header(b"x", text.len() as u64, kind, b""));
        all.extend(text.as_bytes());
        all.resize(all.len().next_multiple_of(512), 0);
        file(&mut all, &format!("data/{at}"), b"x")?;
    }
    all.extend(END);
    diff(out, &all)
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let digits = (1..9usize).find(|digits| (rest.len() + digits).to_string().len() == *digits);
    format!("{}{rest}", rest.len() + digits.unwrap_or_default())
}

pub(crate) fn gzip(contents: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(contents)?;
    encoder.finish()
}
