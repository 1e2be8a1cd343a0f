//! Bombs, and compressed contents of as many parts as the bounds let by.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::bytes::{Numbers, VALUE, checkpoint, copies, pack};
use crate::makers::{
    dynamic_blocks, lz4_blocks, lz4_frame, named_gzip, overlapping, stored_blocks, zeros_of, zip,
    zip_packed, zip_with, zstd_frame, zstd_zeros,
};
use crate::members::gzip;
use crate::{Case, Unpacked};

const MIB: u64 = 1 << 20;
/// What a compressed member may always unpack to.
const ALWAYS: u64 = 256 * MIB;

pub(crate) const CASES: &[Case] = &[
    Case::new("bomb: gzip, as a member", |out| {
        member(out, &gzip_zeros(2048)?, ALWAYS)
    }),
    Case::new("bomb: gzip, ten files", |out| {
        files(out, &gzip_zeros(512)?, 10, ALWAYS)
    }),
    Case::new("bomb: gzip, below the bound", |out| {
        files(out, &gzip_zeros(250)?, 10, 250 * MIB)
    }),
    Case::new("bomb: zstd", |out| files(out, &zstd_zeros(512), 4, ALWAYS)),
    Case::new("bomb: lz4", |out| {
        files(out, &pack("lz4", &["-c"], &zeros(512))?, 4, ALWAYS)
    }),
    Case::slow("bomb: bzip2", |out| {
        files(out, &pack("bzip2", &["-c"], &zeros(300))?, 2, ALWAYS)
    }),
    Case::slow("bomb: xz", |out| {
        files(out, &pack("xz", &["-c"], &zeros(300))?, 2, ALWAYS)
    }),
    Case::new("bomb: zip, many members of one", |out| {
        files(out, &zip(4000, &zeros_of(1 << 20)), 2, ALWAYS)
    }),
    Case::new("gzip: four deep", |out| {
        let mut packed = text(64);
        for _ in 0..4 {
            packed = gzip(&packed)?;
        }
        files(out, &packed, 2, 64 * MIB)
    }),
    Case::new("gzip: four deep, with a secret", |out| {
        let mut packed = [&text(64), VALUE].concat();
        for _ in 0..4 {
            packed = gzip(&packed)?;
        }
        files(out, &packed, 2, 64 * MIB)
    }),
    Case::new("gzip: five deep", |out| {
        let mut packed = text(64);
        for _ in 0..5 {
            packed = gzip(&packed)?;
        }
        files(out, &packed, 2, 64 * MIB)
    }),
    Case::new("tar, gzip, zip, tar, a secret", |out| {
        let tar = copies(&[&text(1), VALUE].concat(), 32)?;
        files(out, &gzip(&zip(2, &tar))?, 2, 3 * 64 * MIB)
    }),
    Case::new("gzip: empty members", |out| {
        files(out, &gzip(b"")?.repeat(4000), 700, 0)
    }),
    Case::new("gzip: members of one byte", |out| {
        files(out, &gzip(b"x")?.repeat(4000), 700, 4000)
    }),
    Case::new("gzip: members of 256 bytes", |out| {
        files(
            out,
            &gzip(&Numbers(1).noise(256))?.repeat(100_000),
            2,
            25_600_000,
        )
    }),
    Case::new("gzip: flushed, empty stored blocks", |out| {
        files(out, &stored_blocks(1_500_000), 8, 0)
    }),
    Case::new("gzip: blocks of their own codes", |out| {
        files(out, &dynamic_blocks(640_000, 0), 8, 640_000)
    }),
    Case::new("gzip: codes for 16 bytes each", |out| {
        files(out, &dynamic_blocks(3_000_000, 16), 1, 48_000_000)
    }),
    Case::new("gzip: names of 60 KiB", |out| {
        files(out, &named_gzip(60_000), 1000, 0)
    }),
    Case::new("zstd: empty frames", |out| {
        files(out, &zstd_frame(0, 0, 0).repeat(4000), 1500, 0)
    }),
    Case::new("zstd: empty frames, wide windows", |out| {
        files(out, &zstd_frame(0x58, 0, 0).repeat(4000), 1500, 0)
    }),
    Case::new("zstd: frames of one byte", |out| {
        files(out, &zstd_frame(0x58, 1, 1).repeat(2000), 1500, 2000)
    }),
    Case::new("zstd: frames of 512 bytes", |out| {
        files(
            out,
            &zstd_frame(0x58, 1, 512).repeat(200_000),
            1,
            102_400_000,
        )
    }),
    Case::new("zstd: frames of two windows", |out| {
        let two = [zstd_frame(0x58, 1, 1), zstd_frame(0, 1, 1)].concat();
        files(out, &two.repeat(1000), 1500, 2000)
    }),
    Case::new("zstd: blocks of one byte", |out| {
        files(out, &zstd_frame(0x58, 4000, 1), 2000, 4000)
    }),
    Case::new("zstd: skippable frames", |out| {
        files(out, &b"\x50\x2a\x4d\x18\x01\0\0\0x".repeat(4000), 1500, 0)
    }),
    Case::new("lz4: empty frames", |out| {
        files(out, &lz4_frame(0x70, 0).repeat(4000), 1000, 0)
    }),
    Case::new("lz4: frames of two block sizes", |out| {
        let two = [lz4_frame(0x70, 1), lz4_frame(0x40, 1)].concat();
        files(out, &two.repeat(1000), 1500, 2000)
    }),
    Case::new("lz4: blocks of one byte", |out| {
        files(out, &lz4_frame(0x70, 4000), 2000, 4000)
    }),
    Case::new("lz4: blocks of 256 bytes", |out| {
        files(out, &lz4_blocks(400_000, 256), 1, 102_400_000)
    }),
    Case::slow("bzip2: empty streams", |out| {
        files(out, &pack("bzip2", &["-c"], b"")?.repeat(4000), 1000, 0)
    }),
    Case::slow("bzip2: streams of one byte", |out| {
        files(out, &pack("bzip2", &["-c"], b"x")?.repeat(1000), 1000, 1000)
    }),
    Case::slow("bzip2: text", |out| {
        files(out, &pack("bzip2", &["-c"], &text(32))?, 2, 32 * MIB)
    }),
    Case::slow("xz: empty streams", |out| {
        files(out, &pack("xz", &["-c"], b"")?.repeat(4000), 500, 0)
    }),
    Case::slow("xz: streams of one byte", |out| {
        files(out, &pack("xz", &["-c"], b"x")?.repeat(4000), 250, 4000)
    }),
    Case::slow("xz: blocks of one byte", |out| {
        let packed = pack(
            "xz",
            &["-c", "--block-size=1", "-0"],
            text(1).get(..100_000).unwrap_or_default(),
        )?;
        files(out, &packed, 12, 100_000)
    }),
    Case::slow("xz: noise", |out| {
        files(
            out,
            &pack("xz", &["-c", "-0"], &Numbers(1).noise(32 << 20))?,
            2,
            32 * MIB,
        )
    }),
    Case::new("zip: 65,000 empty members", |out| {
        files(out, &zip(65_000, b""), 12, 0)
    }),
    Case::new("zip: 4,000 members, empty", |out| {
        files(out, &zip(4000, b""), 200, 0)
    }),
    Case::new("zip: 4,000 members of a byte", |out| {
        files(out, &zip(4000, b"x"), 200, 4000)
    }),
    Case::new("zip: 4,000, the last a secret", |out| {
        files(out, &zip_with(4000, b"x", 8, Some(VALUE)), 200, 4000)
    }),
    Case::new("zip: all members alike a secret", |out| {
        files(out, &zip(4000, VALUE), 200, 4000 * 33)
    }),
    Case::new("zip: overlapping members", |out| {
        files(out, &overlapping(4000), 300, 0)
    }),
    Case::new("zip: without an index", |out| {
        let mut cut = zip(4000, b"x");
        cut.truncate(cut.len() / 2);
        files(out, &cut, 400, 4000)
    }),
    Case::slow("zip: members in xz", |out| {
        let packed = pack("xz", &["-c", "-6"], b"x")?;
        files(out, &zip_packed(4000, &packed, b"x", 95), 80, 4000)
    }),
    Case::slow("zip: members in bzip2", |out| {
        let packed = pack("bzip2", &["-c"], b"x")?;
        files(out, &zip_packed(4000, &packed, b"x", 12), 80, 4000)
    }),
    Case::new("zip: members in zstd", |out| {
        files(
            out,
            &zip_packed(4000, &zstd_frame(0x58, 1, 1), b"x", 93),
            100,
            4000,
        )
    }),
    Case::new("open file: noise in gzip, a secret", |out| {
        open_file(out, &Numbers(1).noise(32 << 20))
    }),
    Case::new("open file: text in gzip, a secret", |out| {
        open_file(out, &text(64))
    }),
    Case::new("open file: near runs in gzip", |out| {
        open_file(out, &near_runs(32 << 20))
    }),
    Case::new("open file: many tiny gzip", |out| {
        let tar = copies(&gzip(VALUE)?, 60_000)?;
        let names: Vec<String> = (0..60_000).map(|at| format!("/data/{at}")).collect();
        open_files(out, &names)?;
        checkpoint(out, "rootfs-diff.tar", &tar).map(|()| Unpacked(0))
    }),
];

/// A member of the checkpoint that looks at `unpacked` further bytes.
fn member(out: &mut dyn Write, contents: &[u8], unpacked: u64) -> io::Result<Unpacked> {
    checkpoint(out, "data", contents).map(|()| Unpacked(unpacked))
}

/// So many copies of a changed file, each of which unpacks to so much.
fn files(out: &mut dyn Write, contents: &[u8], count: usize, each: u64) -> io::Result<Unpacked> {
    checkpoint(out, "rootfs-diff.tar", &copies(contents, count)?)?;
    Ok(Unpacked(each.saturating_mul(count as u64)))
}

/// A file that a process has open, which must come out at its old length.
fn open_file(out: &mut dyn Write, contents: &[u8]) -> io::Result<Unpacked> {
    let unpacked = contents.len() as u64;
    let packed = pack("gzip", &["-c", "-9"], &[contents, VALUE].concat())?;
    open_files(out, &["/data/0".to_owned()])?;
    checkpoint(out, "rootfs-diff.tar", &copies(&packed, 1)?)?;
    Ok(Unpacked(unpacked))
}

fn open_files(out: &mut dyn Write, names: &[String]) -> io::Result<()> {
    let entry = |(id, name): (u64, &String)| {
        let path = crate::bytes::field(6, name.as_bytes());
        let regular = [crate::bytes::message(&[(1, id), (2, 0), (3, 0)]), path].concat();
        [
            crate::bytes::message(&[(1, 1), (2, id)]),
            crate::bytes::field(3, &regular),
        ]
        .concat()
    };
    let entries = (1..).zip(names).map(entry);
    crate::bytes::file(out, "checkpoint/files.img", &crate::bytes::image(entries))
}

fn zeros(mib: usize) -> Vec<u8> {
    zeros_of(mib << 20)
}

/// Made-up lines.
fn text(mib: usize) -> Vec<u8> {
    let mut numbers = Numbers(1);
    let mut text = Vec::new();
    while text.len() < mib << 20 {
        let number = numbers.next();
        text.extend(
            format!(
                "{{\"id\":{number},\"state\":\"open\",\"next\":{}}}\n",
                number % 977
            )
            .bytes(),
        );
    }
    text.truncate(mib << 20);
    text
}

/// Matches that nearly go on, which cost packers the most.
fn near_runs(bytes: usize) -> Vec<u8> {
    let mut numbers = Numbers(1);
    let mut text = Vec::new();
    while text.len() < bytes {
        let length = 200 + numbers.next() % 50;
        text.extend((0..length).map(|at| b'a' + (at % 3) as u8));
        text.push(numbers.next().to_le_bytes()[2]);
    }
    text
}

fn gzip_zeros(mib: usize) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mebibyte = zeros(1);
    (0..mib).try_for_each(|_| encoder.write_all(&mebibyte))?;
    encoder.finish()
}
