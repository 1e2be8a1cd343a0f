//! Contents that cannot be searched or masked: left out, refused or kept, and named in the summary.

use gateway_core::{OpaqueRule, Place};
use gateway_redact::{Redaction, RedactionSettings};

use crate::nested::{files, masked, open_files, plan, run, text};
use crate::packed::{Packing, Zip, pack, unpack, xz};
use crate::plans::redact;
use crate::specimen::{Dice, gunzip, gzip, read_tar, tar};
use crate::support::{member, one};

#[test]
fn what_is_packed_five_deep_is_opaque() {
    let five = (0..5).fold(b"plain".to_vec(), |bytes, _| gzip(&bytes, 6));
    let archive = [("deep", five.clone()), ("next", b"kept".to_vec())];
    let (after, summary) = files(OpaqueRule::Drop, &archive).unwrap();
    assert_eq!(after, [("next".to_owned(), b"kept".to_vec())]);
    assert_eq!(summary.opaque.dropped_bytes, five.len() as u64);
    let content = &summary.opaque.contents[0];
    assert_eq!(content.place, "rootfs-diff.tar:/deep");
    assert!(content.dropped && content.reason.contains("four levels"));
    let refused = files(OpaqueRule::Refuse, &archive).unwrap_err();
    assert!(
        refused.to_string().contains("rootfs-diff.tar:/deep"),
        "{refused}"
    );
    let (after, summary) = files(OpaqueRule::Keep, &archive).unwrap();
    assert!(after[0].1 == five);
    assert_eq!(summary.opaque.kept_bytes, five.len() as u64);
}

#[test]
fn what_says_that_it_is_encrypted_is_opaque() {
    let mut zip = Zip::new(Packing::ZipStored);
    zip.flags = 1;
    for bytes in [
        b"Salted__12345678encrypted".to_vec(),
        b"age-encryption.org/v1\n-> X25519 x\n".to_vec(),
        b"LUKS\xba\xbe\0\x02encrypted".to_vec(),
        zip.with("f", b"encrypted").finish(b""),
    ] {
        let (after, summary) = files(OpaqueRule::Drop, &[("a", bytes)]).unwrap();
        assert!(after.is_empty());
        assert_eq!(summary.opaque.contents[0].reason, "it is encrypted");
    }
    // Random bytes say nothing.
    let noise = Dice::new(5).text(5000).into_bytes();
    assert_eq!(
        files(OpaqueRule::Refuse, &[("a", noise.clone())])
            .unwrap()
            .0[0]
            .1,
        noise
    );
}

#[test]
fn a_method_that_is_not_known_is_opaque() {
    let mut zip = Zip::new(Packing::ZipDeflated);
    zip.method = Some(9);
    let mut gz = gzip(b"x", 6);
    gz[2] = 9;
    for bytes in [
        zip.with("f", b"x").finish(b""),
        gz,
        vec![0x27, 0xb5, 0x2f, 0xfd, 0],
    ] {
        let (_, summary) = files(OpaqueRule::Drop, &[("a", bytes)]).unwrap();
        assert!(summary.opaque.contents[0].reason.contains("unknown"));
    }
}

#[test]
fn damage_makes_a_file_opaque() {
    let mut sum = gzip(&text(), 6);
    let end = sum.len();
    sum[end - 6] ^= 1;
    let mut zip = pack(Packing::ZipDeflated, &text());
    zip[14] ^= 1;
    let behind = [gzip(b"x", 6), b"rubbish".to_vec()].concat();
    let mut second_end = pack(Packing::ZipStored, b"PK\x05\x06");
    second_end.extend(second_end.clone());
    for bytes in [sum, zip, behind, second_end] {
        let (_, summary) = files(OpaqueRule::Drop, &[("a", bytes)]).unwrap();
        assert!(
            summary.opaque.contents[0].reason.contains("damaged"),
            "{summary:?}"
        );
    }
    let zeros = [gzip(&text(), 6), vec![0; 512]].concat();
    let (after, _) = files(OpaqueRule::Refuse, &[("a", zeros)]).unwrap();
    assert!(gunzip(&after[0].1) == masked());
}

#[test]
fn bytes_between_members_of_a_zip_are_searched() {
    let with = |gap: &[u8]| {
        let zip = Zip::new(Packing::ZipStored).with("f", b"plain").finish(b"");
        let directory = zip
            .windows(4)
            .position(|four| four == b"PK\x01\x02")
            .unwrap();
        let mut wide = [&zip[..directory], gap, &zip[directory..]].concat();
        let at = wide.len() - 6;
        wide[at..at + 4]
            .copy_from_slice(&u32::try_from(directory + gap.len()).unwrap().to_le_bytes());
        wide
    };
    let clean = with(b"aligned");
    let (after, _) = files(OpaqueRule::Refuse, &[("a", clean.clone())]).unwrap();
    assert!(after[0].1 == clean);
    let (after, _) = files(OpaqueRule::Refuse, &[("a", with(b"open-sesame"))]).unwrap();
    assert_eq!(unpack(Packing::ZipStored, &after[0].1), b"plain");
    assert!(!after[0].1.windows(4).any(|four| four == b"open"));
    let (_, summary) = files(OpaqueRule::Drop, &[("a", with(b"PK\x03\x04 hidden"))]).unwrap();
    assert!(summary.opaque.contents[0].reason.contains("damaged"));
}

#[test]
fn an_open_file_comes_out_at_its_old_length() {
    for packing in [
        Packing::Gzip,
        Packing::Zstd,
        Packing::ZipDeflated,
        Packing::Tar,
    ] {
        let loose = match packing {
            Packing::Gzip => gzip(&text(), 1),
            // As little compressed as the format allows.
            Packing::Zstd => ruzstd::encoding::compress_to_vec(
                text().as_slice(),
                ruzstd::encoding::CompressionLevel::Uncompressed,
            ),
            packing => pack(packing, &text()),
        };
        let archive = tar(&[
            (
                "checkpoint/files.img".to_owned(),
                open_files(&["/var/log/a"]),
            ),
            (
                "rootfs-diff.tar".to_owned(),
                tar(&[("var/log/a".to_owned(), loose.clone())]),
            ),
        ]);
        let (members, _) = run(OpaqueRule::Refuse, &archive).unwrap();
        let after = read_tar(&member(&members, "rootfs-diff.tar"));
        assert_eq!(after[0].1.len(), loose.len(), "{packing:?}");
        assert!(unpack(packing, &after[0].1) == masked(), "{packing:?}");
    }
}

#[test]
fn an_open_file_that_is_left_out_will_not_restore() {
    let archive = tar(&[
        ("checkpoint/files.img".to_owned(), open_files(&["/a.xz"])),
        (
            "rootfs-diff.tar".to_owned(),
            tar(&[
                ("a.xz".to_owned(), xz(&text())),
                ("b.xz".to_owned(), xz(&text())),
            ]),
        ),
    ]);
    let (_, summary) = run(OpaqueRule::Drop, &archive).unwrap();
    let restores: Vec<_> = summary
        .opaque
        .contents
        .iter()
        .map(|content| content.will_not_restore)
        .collect();
    assert_eq!(restores, [true, false]);
}

#[test]
fn hard_links_to_what_is_opaque_are_left_out() {
    let mut builder = ::tar::Builder::new(Vec::new());
    let bytes = xz(&text());
    let mut header = ::tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    builder
        .append_data(&mut header, "a.xz", bytes.as_slice())
        .unwrap();
    let mut link = ::tar::Header::new_ustar();
    link.set_entry_type(::tar::EntryType::Link);
    link.set_size(0);
    builder.append_link(&mut link, "b", "./a.xz").unwrap();
    let archive = one("rootfs-diff.tar", &builder.into_inner().unwrap());
    let (members, _) = run(OpaqueRule::Drop, &archive).unwrap();
    assert!(read_tar(&members[0].1).is_empty());
}

#[test]
fn opaque_contents_are_kept_where_no_rule_searches() {
    let diff = tar(&[("a".to_owned(), xz(&text()))]);
    let mut plan = plan();
    plan.mask[0].places = [Place::Logs].into();
    let redaction = Redaction {
        plan,
        ..Redaction::default()
    };
    let archive = one("rootfs-diff.tar", &diff);
    let (after, summary) = redact(redaction, &archive).unwrap();
    assert!(after == archive);
    assert!(summary.opaque.is_empty());
}

#[test]
fn a_bomb_in_a_file_is_opaque() {
    let bomb = gzip(&gzip(&vec![0; 3 << 20], 9), 9);
    let settings = RedactionSettings {
        max_unpacked_bytes: 1 << 20,
        ..RedactionSettings::default()
    };
    let redaction = Redaction {
        plan: plan(),
        settings,
        ..Redaction::default()
    };
    let diff = tar(&[("a".to_owned(), bomb), ("b".to_owned(), b"kept".to_vec())]);
    let (after, summary) = redact(redaction, &one("rootfs-diff.tar", &diff)).unwrap();
    let files = read_tar(&read_tar(&after)[0].1);
    assert_eq!(files.len(), 1);
    assert!(
        summary.opaque.contents[0]
            .reason
            .contains("more than is allowed")
    );
}
