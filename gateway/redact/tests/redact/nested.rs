//! Archives and compressed files in files: searched, masked and packed again.

use gateway_core::{OpaqueRule, Plan, RedactionSummary};
use gateway_redact::{Error, Redaction, RedactionSettings};
use proptest::prelude::*;

use crate::packed::{Packing, WRITABLE, Zip, lz4, pack, unpack, unzip, xz, zstd};
use crate::plans::{redact, rule};
use crate::specimen::{Dice, Members, gunzip, gzip, image, read_tar, tar};
use crate::support::{literal, member, one};

pub(crate) const SECRET: &str = "open-sesame";
pub(crate) const HIDDEN: &str = "***********";

pub(crate) fn plan() -> Plan {
    Plan {
        mask: vec![rule("rule", literal(SECRET))],
        ..Plan::default()
    }
}

pub(crate) fn run(
    opaque: OpaqueRule,
    archive: &[u8],
) -> Result<(Members, RedactionSummary), Error> {
    let settings = RedactionSettings {
        opaque,
        ..RedactionSettings::default()
    };
    let redaction = Redaction {
        plan: plan(),
        settings,
        ..Redaction::default()
    };
    redact(redaction, archive).map(|(bytes, summary)| (read_tar(&bytes), summary))
}

/// The files of the changed root file system after redaction.
pub(crate) fn files(
    opaque: OpaqueRule,
    files: &[(&str, Vec<u8>)],
) -> Result<(Members, RedactionSummary), Error> {
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), bytes.clone()))
        .collect();
    let diff = tar(&files);
    let mut outcome = Vec::new();
    for stored in [diff.clone(), gzip(&diff, 6)] {
        let archive = tar(&[
            ("checkpoint/files.img".to_owned(), open_files(&[])),
            ("rootfs-diff.tar".to_owned(), stored.clone()),
        ]);
        let (members, summary) = run(opaque, &archive)?;
        let after = member(&members, "rootfs-diff.tar");
        let plain = if stored == diff {
            after
        } else {
            gunzip(&after)
        };
        outcome.push((read_tar(&plain), summary));
    }
    let (one, other) = (outcome.remove(0), outcome.remove(0));
    assert!(one == other, "a compressed archive gives something else");
    Ok(one)
}

/// An image of open files with these names.
pub(crate) fn open_files(names: &[&str]) -> Vec<u8> {
    let text = |number: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).unwrap();
        [&[number << 3 | 2, length], bytes].concat()
    };
    let entries = names.iter().map(|name| {
        let file = [
            &[8, 1, 16, 0, 24, 0][..],
            &text(5, &[]),
            &text(6, name.as_bytes()),
        ]
        .concat();
        [&[8, 1, 16, 1][..], &text(3, &file)].concat()
    });
    image(&entries.collect::<Vec<_>>())
}

pub(crate) fn text() -> Vec<u8> {
    format!(
        "{}\nthe key is {SECRET}\n{}",
        Dice::new(1).text(3000),
        Dice::new(2).text(3000)
    )
    .into_bytes()
}

pub(crate) fn masked() -> Vec<u8> {
    String::from_utf8(text())
        .unwrap()
        .replace(SECRET, HIDDEN)
        .into_bytes()
}

#[test]
fn masks_in_each_format_that_it_writes() {
    for packing in WRITABLE {
        let (after, summary) = files(OpaqueRule::Refuse, &[("f", pack(packing, &text()))]).unwrap();
        assert!(unpack(packing, &after[0].1) == masked(), "{packing:?}");
        assert_eq!(summary.masked().masks, 1, "{packing:?}");
        let other = pack(packing, b"nothing to hide");
        let (after, _) = files(OpaqueRule::Refuse, &[("f", other.clone())]).unwrap();
        assert!(after[0].1 == other, "{packing:?} changed without a reason");
    }
}

#[test]
fn masks_in_four_zstd_streams_in_one_another() {
    let packed = (0..4).fold(text(), |bytes, _| pack(Packing::Zstd, &bytes));
    let (after, _) = files(OpaqueRule::Refuse, &[("f", packed)]).unwrap();
    let unpacked = (0..4).fold(after[0].1.clone(), |bytes, _| unpack(Packing::Zstd, &bytes));
    assert!(unpacked == masked());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_packed_up_to_four_deep_is_masked(
        packings in prop::collection::vec(prop::sample::select(WRITABLE.to_vec()), 1..=4),
        before in prop::collection::vec(any::<u8>(), 0..5000),
        after in prop::collection::vec(any::<u8>(), 0..5000),
    ) {
        let plain = [&before, SECRET.as_bytes(), &after].concat();
        let wanted = [&before, HIDDEN.as_bytes(), &after].concat();
        let packed = packings.iter().fold(plain, |bytes, packing| pack(*packing, &bytes));
        let (redacted, summary) = files(OpaqueRule::Refuse, &[("f", packed), ("g", b"kept".to_vec())]).unwrap();
        let unpacked = packings.iter().rev().fold(redacted[0].1.clone(), |bytes, packing| unpack(*packing, &bytes));
        prop_assert!(unpacked == wanted);
        prop_assert_eq!(&redacted[1].1, b"kept");
        prop_assert_eq!(summary.masked().masks, 1);
    }
}

/// `bzip2 -9` of a text with [`SECRET`], a thousand equal bytes and all 256 bytes.
const BZIP2: &str = "\
    425a68393141592653595f77476e000047ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffb000f699\
    900000000000000001300000000000000000980000000000000000000000000004c04c1934d27a8c89b23d200982313268c00119309ea6\
    26008c1a8c0d0d0119889a6134c119061313098026868c0264190c9a300098231313011a0c4d3098498002600026000000000000000000\
    000000000000000000000000000000000000000e0458430c8333341a50d41cf36e01b8f2070722113a3b3c3d3e3f4041e0a121a222f1cb\
    17842a8210c49e22525f1530a8acb0b4b830bc3dbcc4c8ccd0d4d8dce0e4e8ecf0f4f8fd0105090d1115191d2125292d3135393d414549\
    4d5155595d6167a1d171727374757628efb62899500000a922410a01e961ee085bf96643010e2cbfbd00d03e04d0c190c145c13008e103\
    351618f0c8410040cc38304017cd2200421e82275213aa36149c343c475a27af1517191b1dd8ecc7c876bb7dc8e8f90919293949596979\
    8999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcec\
    fd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e77ee8dee9eaebecedeeefeeeff0f1f2f3f4f5f6f7f812fefcce7d7dfe7e8bb\
    9229c28482fbba3b70";

fn bzip2() -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&BZIP2[at..at + 2], 16).unwrap();
    (0..BZIP2.len()).step_by(2).map(digit).collect()
}

#[test]
fn what_it_reads_and_does_not_write_is_opaque_on_a_hit() {
    for (bytes, clean) in [
        (xz(&text()), xz(b"clean")),
        (lz4(&text()), lz4(b"clean")),
        (
            bzip2(),
            bzip2()[..4]
                .iter()
                .copied()
                .chain([0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0])
                .collect(),
        ),
        (gzip(&xz(&text()), 6), zstd(&xz(b"clean"))),
        ([bzip2(), bzip2()].concat(), gzip(&lz4(b"clean"), 1)),
    ] {
        let given = [("a", bytes.clone()), ("b", clean.clone())];
        let (after, summary) = files(OpaqueRule::Drop, &given).unwrap();
        assert_eq!(after, [("b".to_owned(), clean)]);
        assert!(
            summary.opaque.contents[0]
                .reason
                .contains("cannot be written")
        );
        assert_eq!(summary.masked().masks, 0);
    }
}

#[test]
fn streams_that_break_off_are_searched_as_far_as_they_go() {
    let long = [text(), Dice::new(9).text(60_000).into_bytes()].concat();
    for packing in [
        Packing::Gzip,
        Packing::Zstd,
        Packing::Xz,
        Packing::Lz4,
        Packing::Tar,
        Packing::ZipDeflated,
    ] {
        let clean = pack(packing, &Dice::new(9).text(60_000).into_bytes());
        let cut = clean[..clean.len() - 2000].to_vec();
        let (after, summary) = files(OpaqueRule::Refuse, &[("log", cut.clone())]).unwrap();
        assert!(after[0].1 == cut, "{packing:?}");
        assert!(summary.opaque.is_empty(), "{packing:?}");
    }
    let packed = gzip(&long, 6);
    let (after, _) = files(
        OpaqueRule::Refuse,
        &[("log", packed[..packed.len() - 2000].to_vec())],
    )
    .unwrap();
    let shown = gunzip(&after[0].1);
    assert!(shown.starts_with(&masked()));
}

#[test]
fn texts_beside_contents_are_searched() {
    let mut named = gzip(b"plain", 6);
    named[3] = 8;
    named.splice(10..10, format!("{SECRET}\0").into_bytes());
    let (after, _) = files(OpaqueRule::Refuse, &[("a", named)]).unwrap();
    assert!(
        !after[0]
            .1
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes())
    );
    assert_eq!(gunzip(&after[0].1), b"plain");

    let length = u32::try_from(SECRET.len()).unwrap().to_le_bytes();
    let skippable = [
        &[0x5a, 0x2a, 0x4d, 0x18][..],
        &length,
        SECRET.as_bytes(),
        &zstd(b"plain"),
    ]
    .concat();
    let (after, _) = files(OpaqueRule::Refuse, &[("a", skippable)]).unwrap();
    assert_eq!(unpack(Packing::Zstd, &after[0].1), b"plain");

    let zip = Zip::new(Packing::ZipStored)
        .with(SECRET, b"plain")
        .with("b", b"other")
        .finish(SECRET.as_bytes());
    let (after, summary) = files(OpaqueRule::Refuse, &[("a", zip)]).unwrap();
    let wanted = [(HIDDEN, "plain"), ("b", "other")]
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    assert_eq!(unzip(&after[0].1), wanted);
    assert_eq!(summary.masked().masks, 2);
}

#[test]
fn first_bytes_decide_for_members_of_the_checkpoint() {
    let inner = one("tmp/f", &text());
    for name in [
        "volumes/data",
        "container.log",
        "devshm-checkpoint.tar.gz",
        "status",
        "x/rootfs-diff.tar",
    ] {
        for packing in [Packing::Gzip, Packing::Zstd, Packing::ZipDeflated] {
            let (members, _) = run(OpaqueRule::Drop, &one(name, &pack(packing, &inner))).unwrap();
            let plain = read_tar(&unpack(packing, &members[0].1));
            assert!(plain[0].1 == masked(), "{name} {packing:?}");
        }
        let (members, _) = run(OpaqueRule::Drop, &one(name, &inner)).unwrap();
        assert!(read_tar(&members[0].1)[0].1 == masked(), "{name}");
        for bytes in [
            xz(&inner),
            b"Salted__12345678".to_vec(),
            gzip(&inner, 6)[..200].to_vec(),
        ] {
            run(OpaqueRule::Drop, &one(name, &bytes)).unwrap_err();
        }
        let (members, summary) = run(OpaqueRule::Keep, &one(name, &xz(&inner))).unwrap();
        assert!(members[0].1 == xz(&inner));
        assert_eq!(summary.opaque.contents[0].place, name);
    }
    // Memory may begin with any bytes.
    let page = gzip(&text(), 6);
    let (members, _) = run(OpaqueRule::Drop, &one("checkpoint/pages-1.img", &page)).unwrap();
    assert!(members[0].1 == page);
}

#[test]
fn images_of_the_checkpoint_keep_their_length() {
    let name = "checkpoint/autofs-1.img";
    let packed = gzip(&text(), 1);
    let (members, _) = run(OpaqueRule::Drop, &one(name, &packed)).unwrap();
    assert_eq!(members[0].1.len(), packed.len());
    assert!(gunzip(&members[0].1) == masked());
}
