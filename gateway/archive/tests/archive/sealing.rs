//! Originals that are kept beside redacted archives, sealed or plain.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use gateway_archive::{
    Error, Identities, KeepOriginal, Leftover, Recipients, Settings, Store, UnsealError, unseal,
};
use gateway_core::{Checkpoint, MaskRule, Pattern, Place, Plan, Transport};
use gateway_redact::Redaction;

use crate::catalog::all;
use crate::support::{EMPTY, Home, id, info, mode, open, redacting, sha256, target, whole};

const SECRET: &[u8] = b"open sesame";

/// An archive of `bytes` bytes of noise with a secret at its beginning and one at its end, and a tail after the archive's
/// end, which belongs to what the runtime wrote.
pub(crate) fn archive(bytes: usize) -> Vec<u8> {
    let mut log = SECRET.to_vec();
    log.extend((0..bytes).map(|at| u8::try_from(at.wrapping_mul(at) % 251).unwrap()));
    log.extend(SECRET);
    let mut archive = whole(log);
    archive.extend([0; 2048]);
    archive
}

fn holds_a_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

fn redaction() -> Redaction {
    let pattern = Pattern::Literal(SECRET.to_vec());
    let rule = MaskRule {
        places: [Place::Logs].into(),
        ..crate::plans::rule("words", pattern)
    };
    Redaction {
        plan: Plan {
            mask: vec![rule],
            ..Plan::default()
        },
        ..Redaction::default()
    }
}

fn recipients(identities: &[&Identity]) -> Recipients {
    let texts: Vec<_> = identities
        .iter()
        .map(|identity| identity.to_public().to_string())
        .collect();
    Recipients::parse(&texts).unwrap()
}

pub(crate) fn identities(identity: &Identity) -> Identities {
    Identities::parse(identity.to_string().expose_secret()).unwrap()
}

fn store(home: &Home, original: KeepOriginal) -> Store {
    Store::open(Settings {
        original,
        ..home.settings()
    })
    .unwrap()
    .0
}

async fn take(
    store: &Store,
    number: u128,
    transport: Transport,
    written: &[u8],
) -> Result<Checkpoint, Error> {
    let intake = redacting(store, number, transport, redaction()).await;
    let mut runtime = open(intake.location());
    let written = written.to_vec();
    std::thread::spawn(move || runtime.write_all(&written).unwrap())
        .join()
        .unwrap();
    intake.publish(info(number)).await
}

/// The plaintext of `sealed`.
pub(crate) fn opened(sealed: &[u8], identity: &Identity) -> Result<Vec<u8>, UnsealError> {
    let mut plain = Vec::new();
    let bytes = unseal(sealed, &identities(identity), &mut plain)?;
    assert_eq!(bytes, plain.len() as u64);
    Ok(plain)
}

#[tokio::test]
async fn seals_the_original_and_publishes_the_redacted_archive() {
    let (analyst, auditor) = (Identity::generate(), Identity::generate());
    for transport in [Transport::Fifo, Transport::Spool, Transport::File] {
        for bytes in [0, 100, (64 << 10) - EMPTY - 2 * SECRET.len(), 5 << 20] {
            let home = Home::new();
            let store = store(
                &home,
                KeepOriginal::Sealed(recipients(&[&analyst, &auditor])),
            );
            let written = archive(bytes);
            let checkpoint = take(&store, 1, transport, &written).await.unwrap();
            let published = std::fs::read(&checkpoint.path).unwrap();
            assert!(holds_a_secret(&written) && !holds_a_secret(&published));
            let original = checkpoint.original.clone().unwrap();
            assert!(original.sealed);
            assert_eq!(original.recipients, 2);
            assert_eq!(
                original.path,
                PathBuf::from(format!("{}.age", checkpoint.path.display()))
            );
            assert_eq!(
                (mode(&original.path), sha256(&original.path)),
                (0o600, original.sha256.clone())
            );
            let sealed = std::fs::read(&original.path).unwrap();
            assert_eq!(sealed.len() as u64, original.bytes);
            assert!(!holds_a_secret(&sealed));
            for identity in [&analyst, &auditor] {
                assert!(
                    opened(&sealed, identity).unwrap() == written,
                    "{transport:?} {bytes}"
                );
            }
            let mut served = Vec::new();
            let (found, mut file) = store.open_original(id(1)).unwrap().unwrap();
            file.read_to_end(&mut served).unwrap();
            assert!(served == sealed);
            assert_eq!(found, checkpoint);
            assert!(home.incoming().is_empty());
            drop(store);
            assert_eq!(
                all(&home.store()),
                std::slice::from_ref(&checkpoint),
                "and so it is read again"
            );
        }
    }
}

#[tokio::test]
async fn seals_the_original_of_a_file_in_the_fifos_place() {
    let home = Home::new();
    let identity = Identity::generate();
    let store = store(&home, KeepOriginal::Sealed(recipients(&[&identity])));
    let written = archive(100_000);
    let intake = redacting(&store, 1, Transport::Fifo, redaction()).await;
    std::fs::remove_file(intake.location()).unwrap();
    std::fs::write(intake.location(), &written).unwrap();
    let checkpoint = intake.publish(info(1)).await.unwrap();
    assert_eq!(checkpoint.transport, Transport::File);
    let sealed = std::fs::read(checkpoint.original.unwrap().path).unwrap();
    assert!(opened(&sealed, &identity).unwrap() == written);
}

#[tokio::test]
async fn keeps_plaintext_only_with_the_explicit_setting() {
    let home = Home::new();
    let kept = store(&home, KeepOriginal::Plaintext);
    let written = archive(100_000);
    let checkpoint = take(&kept, 1, Transport::Fifo, &written).await.unwrap();
    let original = checkpoint.original.clone().unwrap();
    assert_eq!(
        (original.sealed, original.recipients, mode(&original.path)),
        (false, 0, 0o600)
    );
    assert_eq!(
        original.path,
        checkpoint.path.with_extension("original.tar")
    );
    assert_eq!(original.sha256, sha256(&original.path));
    assert!(std::fs::read(&original.path).unwrap() == written);
    drop(kept);
    assert_eq!(Settings::new("/x").original, KeepOriginal::No);
    let none = home.store();
    let checkpoint = take(&none, 2, Transport::Fifo, &written).await.unwrap();
    assert_eq!(checkpoint.original, None);
    assert_eq!(home.published().len(), 3 + 2);
    assert!(none.open_original(id(2)).unwrap().is_none());
}

#[tokio::test]
async fn without_a_redaction_the_archive_is_the_original() {
    let home = Home::new();
    let store = store(
        &home,
        KeepOriginal::Sealed(recipients(&[&Identity::generate()])),
    );
    let intake = crate::support::intake(&store, 1, Transport::Fifo).await;
    open(intake.location()).write_all(&archive(100)).unwrap();
    let checkpoint = intake.publish(info(1)).await.unwrap();
    assert_eq!((checkpoint.original, checkpoint.redaction), (None, None));
    assert_eq!(home.published().len(), 2);
}

#[tokio::test]
async fn originals_count_in_quotas_and_are_deleted_too() {
    let home = Home::new();
    let identity = Identity::generate();
    let sealed = store(&home, KeepOriginal::Sealed(recipients(&[&identity])));
    let checkpoint = take(&sealed, 1, Transport::Fifo, &archive(1000))
        .await
        .unwrap();
    let bytes = checkpoint.bytes + checkpoint.original.as_ref().unwrap().bytes;
    drop(sealed);
    let limit = |bytes| gateway_archive::Quota {
        total: gateway_archive::Limits {
            bytes: Some(bytes),
            count: None,
        },
        ..gateway_archive::Quota::default()
    };
    for (quota, fits) in [
        (limit(bytes), false),
        (limit(bytes + 1), false),
        (limit(bytes + 2), true),
    ] {
        let original = KeepOriginal::Plaintext;
        let (store, _) = Store::open(Settings {
            quota,
            original,
            ..home.settings()
        })
        .unwrap();
        let reserved = store.reserve(&target("shop/cart-0/app"), Some(1));
        assert_eq!(reserved.is_ok(), fits, "one byte and one of its original");
    }
    let store = home.store();
    store.delete(id(1)).unwrap().unwrap();
    assert!(home.is_empty());
}

#[tokio::test]
async fn keeps_no_original_without_a_published_archive() {
    let home = Home::new();
    let store = store(&home, KeepOriginal::Plaintext);
    let cut = archive(100_000);
    for (number, written) in [(1, &cut[..50_000]), (2, b"no tar"), (3, &[])] {
        take(&store, number, Transport::Fifo, written)
            .await
            .unwrap_err();
        assert!(home.is_empty(), "{number}");
    }
    let intake = redacting(&store, 4, Transport::Fifo, redaction()).await;
    open(intake.location()).write_all(&cut).unwrap();
    intake.discard().await;
    assert!(home.is_empty());
    // A name that is taken: all three move on to the next nanosecond.
    let first = take(&store, 5, Transport::Fifo, &cut).await.unwrap();
    for taken in [".json", "", ".original.tar"] {
        let beside = |path: &Path| match taken {
            ".original.tar" => path.with_extension("original.tar"),
            suffix => PathBuf::from(format!("{}{suffix}", path.display())),
        };
        let name = first.path.to_str().unwrap().replace("456789Z", "456790Z");
        std::fs::write(beside(Path::new(&name)), "taken").unwrap();
        let next = take(&store, 6, Transport::Fifo, &cut).await.unwrap();
        assert!(
            next.path.to_str().unwrap().contains("456791Z"),
            "{taken}: {}",
            next.path.display()
        );
        assert!(std::fs::read(next.original.unwrap().path).unwrap() == cut);
        store.delete(id(6)).unwrap().unwrap();
        std::fs::remove_file(beside(Path::new(&name))).unwrap();
        assert_eq!(home.published().len(), 3);
    }
}

#[tokio::test]
async fn removes_originals_that_a_crash_left() {
    let home = Home::new();
    for (original, number) in [
        (KeepOriginal::Plaintext, 1),
        (
            KeepOriginal::Sealed(recipients(&[&Identity::generate()])),
            2,
        ),
    ] {
        let store = store(&home, original);
        let checkpoint = take(&store, number, Transport::Fifo, &archive(1000))
            .await
            .unwrap();
        drop(store);
        std::fs::remove_file(&checkpoint.path).unwrap();
        let (_, cleaned) = Store::open(home.settings()).unwrap();
        let what: Vec<_> = cleaned.iter().map(|cleaned| cleaned.kind).collect();
        assert_eq!(what, [Leftover::Original, Leftover::Metadata]);
        assert!(home.is_empty());
    }
}
