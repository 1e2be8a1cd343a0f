//! Images of CRIU: many entries, many numbers, many pages.

use std::io::{self, Write};

use crate::bytes::{
    END, Numbers, VALUE, checkpoint, end_checkpoint, field, file, header, image, message, varint,
};
use crate::{Case, Unpacked};

const PAGE: usize = 4096;
const HEAP: u64 = 0x5555_0000_0000;

pub(crate) const CASES: &[Case] = &[
    Case::new("pages: 10 GiB of zeros", zeros),
    Case::new("page map: single pages", |out| {
        page_map(out, 25_000, 25_000)
    }),
    Case::new("page map: 4 million single pages", |out| {
        page_map(out, 4_000_000, 0)
    }),
    Case::new("page map: many environments", many_environments),
    Case::new("processes: 10,000 of a page", |out| processes(out, 10_000)),
    Case::new("image: empty entries", |out| {
        images(out, "fs-1", std::iter::repeat_n(Vec::new(), 8_000_000))
    }),
    Case::new("image: entries of two bytes", |out| {
        images(
            out,
            "fdinfo-1",
            std::iter::repeat_n(message(&[(1, 1)]), 8_000_000),
        )
    }),
    Case::new("image: paths", |out| {
        let entry = |at: u64| field(6, format!("/var/lib/data/{at}").as_bytes());
        images(out, "reg-files", (0..2_000_000).map(entry))
    }),
    Case::new("image: messages in messages", |out| {
        let deep = (0..20).fold(message(&[(1, 1)]), |inner, _| field(3, &inner));
        images(out, "core-1", std::iter::repeat_n(deep, 800_000))
    }),
    Case::new("image: wide numbers", |out| {
        let mut numbers = Numbers(1);
        let entry = || message(&[(1, 1 << 63 | numbers.next()), (2, 1 << 63 | numbers.next())]);
        images(
            out,
            "fdinfo-1",
            std::iter::repeat_with(entry).take(3_000_000),
        )
    }),
    Case::new("image: one long list of numbers", |out| {
        let mut numbers = Numbers(1);
        let mut list = || {
            let mut packed = Vec::new();
            (0..600_000).for_each(|_| varint(1 << 63 | numbers.next(), &mut packed));
            field(1, &packed)
        };
        let entries: Vec<_> = (0..16).map(|_| list()).collect();
        images(out, "fdinfo-1", entries)
    }),
    Case::new("image: vector registers", |out| {
        registers(out, |numbers| 1 << 63 | numbers.next())
    }),
    Case::new("image: registers of near secrets", |out| {
        let near = u64::from_le_bytes(*VALUE.first_chunk().unwrap_or(&[0; 8]));
        registers(out, move |_| near)
    }),
    Case::new("image: unknown kind, small fields", |out| {
        let fields: Vec<u8> = field(1, b"\x08\x01").repeat(1000);
        images(out, "something", std::iter::repeat_n(fields, 25_000))
    }),
    Case::new("image: text fields of near secrets", |out| {
        let near = field(6, VALUE.get(..16).unwrap_or_default());
        images(out, "reg-files", std::iter::repeat_n(near, 4_000_000))
    }),
    Case::new("lz4 pages", |out| packed_pages(out, 25_000, 1)),
    Case::new("lz4 pages of zeros, 4 GiB", |out| {
        packed_pages(out, 1_000_000, 40)
    }),
    Case::new("lz4 pages in 2,000 images", |out| {
        for id in 0..2000 {
            packed_process(out, id, 50, 20)?;
        }
        end_checkpoint(out, &[])?;
        Ok(Unpacked(2000 * 50 * 20 * PAGE as u64))
    }),
];

fn images(
    out: &mut dyn Write,
    name: &str,
    entries: impl IntoIterator<Item = Vec<u8>>,
) -> io::Result<Unpacked> {
    checkpoint(out, &format!("checkpoint/{name}.img"), &image(entries)).map(|()| Unpacked(0))
}

/// One process with as much memory as a large machine has.
fn zeros(out: &mut dyn Write) -> io::Result<Unpacked> {
    let pages: u64 = 10 << 18;
    let map = image([
        message(&[(1, 1)]),
        message(&[(1, HEAP), (2, 0), (4, 4), (5, pages)]),
    ]);
    file(out, "checkpoint/pagemap-1.img", &map)?;
    // More than eight digits: a number of bytes, high bit set.
    let size = pages * PAGE as u64;
    let mut head = header(b"checkpoint/pages-1.img", 0, b'0', b"");
    let wide = [&[0x80, 0, 0, 0][..], &size.to_be_bytes()].concat();
    head.get_mut(124..136)
        .into_iter()
        .for_each(|to| to.copy_from_slice(&wide));
    head.get_mut(148..156)
        .into_iter()
        .for_each(|to| to.fill(b' '));
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    let digits = format!("{sum:06o}\0 ");
    head.get_mut(148..156)
        .into_iter()
        .for_each(|to| to.copy_from_slice(digits.as_bytes()));
    out.write_all(&head)?;
    let mebibyte = vec![0; 1 << 20];
    (0..size >> 20).try_for_each(|_| out.write_all(&mebibyte))?;
    end_checkpoint(out, &[])?;
    Ok(Unpacked(0))
}

/// Every page is a run of its own; `present` of them are there.
fn page_map(out: &mut dyn Write, listed: u64, present: u64) -> io::Result<Unpacked> {
    let run = |at: u64| {
        let flags = if at < present { 4 } else { 0 };
        message(&[(1, HEAP + at * 8192), (2, 0), (4, flags), (5, 1)])
    };
    let map = image(std::iter::once(message(&[(1, 1)])).chain((0..listed).map(run)));
    file(out, "checkpoint/mm-1.img", &memory(HEAP, HEAP + (1 << 40)))?;
    file(out, "checkpoint/pagemap-1.img", &map)?;
    let mut pages = Vec::new();
    for at in 0..present {
        let start = pages.len();
        pages.extend(format!("KEY_{at}=value-{at}\0").repeat(8).bytes());
        pages.resize(start + PAGE, 0);
    }
    checkpoint(out, "checkpoint/pages-1.img", &pages).map(|()| Unpacked(0))
}

/// The image of an address space whose environment lies here.
fn memory(start: u64, end: u64) -> Vec<u8> {
    image([message(&[
        (1, 0),
        (8, start),
        (9, start),
        (10, start),
        (11, end),
    ])])
}

/// Variables throughout the memory, each of another name, for a rule that judges names.
fn many_environments(out: &mut dyn Write) -> io::Result<Unpacked> {
    let pages: u64 = 12_000;
    let map = image([
        message(&[(1, 1)]),
        message(&[(1, HEAP), (2, 0), (4, 4), (5, pages)]),
    ]);
    file(
        out,
        "checkpoint/mm-1.img",
        &memory(HEAP, HEAP + pages * PAGE as u64),
    )?;
    file(out, "checkpoint/pagemap-1.img", &map)?;
    let mut text = Vec::new();
    let mut at = 0;
    while text.len() < usize::try_from(pages).unwrap_or_default() * PAGE {
        text.extend(format!("PASSWORD_{}=short\0", at % 16_000).bytes());
        at += 1;
    }
    text.truncate(usize::try_from(pages).unwrap_or_default() * PAGE);
    checkpoint(out, "checkpoint/pages-1.img", &text).map(|()| Unpacked(0))
}

fn processes(out: &mut dyn Write, count: u64) -> io::Result<Unpacked> {
    for id in 1..=count {
        let map = image([
            message(&[(1, id)]),
            message(&[(1, HEAP), (2, 0), (4, 4), (5, 1)]),
        ]);
        file(
            out,
            &format!("checkpoint/core-{id}.img"),
            &image([message(&[(1, 1)])]),
        )?;
        file(
            out,
            &format!("checkpoint/mm-{id}.img"),
            &memory(HEAP, HEAP + 100),
        )?;
        file(out, &format!("checkpoint/pagemap-{id}.img"), &map)?;
        let mut page = format!("NAME_{id}=value-{id}\0").into_bytes();
        page.resize(PAGE, 0);
        file(out, &format!("checkpoint/pages-{id}.img"), &page)?;
    }
    end_checkpoint(out, &[])?;
    Ok(Unpacked(0))
}

/// Images of many threads, each with the registers of the largest processor.
fn registers(out: &mut dyn Write, value: impl Fn(&mut Numbers) -> u64) -> io::Result<Unpacked> {
    let mut numbers = Numbers(1);
    for thread in 1..=20_000 {
        let mut list = |count: usize| {
            let mut packed = Vec::new();
            (0..count).for_each(|_| varint(value(&mut numbers), &mut packed));
            packed
        };
        let general: Vec<(u64, u64)> = (1..28).map(|at| (at, 1 << 63 | at)).collect();
        let extended = [
            field(2, &list(32)),
            field(6, &list(64)),
            field(7, &list(64)),
        ]
        .concat();
        let floating = [field(10, &list(64)), field(13, &extended)].concat();
        let info = [field(2, &message(&general)), field(3, &floating)].concat();
        let core = [message(&[(1, 1)]), field(2, &info)].concat();
        file(
            out,
            &format!("checkpoint/core-{thread}.img"),
            &image([core]),
        )?;
    }
    out.write_all(&END)?;
    Ok(Unpacked(0))
}

fn packed_pages(out: &mut dyn Write, pages: u64, runs: u64) -> io::Result<Unpacked> {
    packed_process(out, 1, pages / runs, runs)?;
    end_checkpoint(out, &[])?;
    Ok(Unpacked(pages * PAGE as u64))
}

/// A process whose pages of zeros CRIU compressed, in so many runs of so many pages.
fn packed_process(out: &mut dyn Write, id: u64, pages: u64, runs: u64) -> io::Result<()> {
    // A literal and a run of it.
    let mut block = vec![0x1f, 0, 1, 0];
    block.extend([0xff; 15]);
    block.extend([0xf6, 0x50, 0, 0, 0, 0, 0]);
    let run = |at: u64| {
        let mut lengths = Vec::new();
        (0..pages).for_each(|_| varint(block.len() as u64, &mut lengths));
        let start = message(&[(1, HEAP + (at << 32)), (2, 0), (4, 4), (5, pages)]);
        let sum = message(&[(7, pages * block.len() as u64), (8, 1)]);
        [start, field(6, &lengths), sum].concat()
    };
    let map = image(std::iter::once(message(&[(1, id)])).chain((0..runs).map(run)));
    file(out, &format!("checkpoint/pagemap-{id}.img"), &map)?;
    let count = usize::try_from(pages * runs).unwrap_or_default();
    file(
        out,
        &format!("checkpoint/pages-{id}.img"),
        &block.repeat(count),
    )
}
