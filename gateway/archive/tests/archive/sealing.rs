use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use gateway_archive::{
    Error, Identities, KeepOriginal, Leftover, Recipients, Settings, Store, UnsealError, unseal,
    unseal_file,
};
use gateway_core::{Checkpoint, MaskRule, Pattern, Place, Plan, Transport};
use gateway_redact::Redaction;

use crate::catalog::all;
use crate::specimen::{Dice, tar};
use crate::support::{Home, about, id, mode, open, redacting, sha256, target};

const SECRET: &[u8] = b"open sesame";

/// An archive of `bytes` bytes of noise with a secret at its beginning and one at its end, and a tail after the archive's
/// end, which belongs to what the runtime wrote.
fn archive(bytes: usize) -> Vec<u8> {
    let mut log = SECRET.to_vec();
    log.extend((0..bytes).map(|at| u8::try_from(at.wrapping_mul(at) % 251).unwrap()));
    log.extend(SECRET);
    let mut archive = tar(&[("container.log".to_owned(), log)]);
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

fn identities(identity: &Identity) -> Identities {
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
    intake.publish(about(number)).await
}

/// What `sealed` was before it was sealed.
fn opened(sealed: &[u8], identity: &Identity) -> Result<Vec<u8>, UnsealError> {
    let mut plain = Vec::new();
    let bytes = unseal(sealed, &identities(identity), &mut plain)?;
    assert_eq!(bytes, plain.len() as u64);
    Ok(plain)
}

fn sealed_for(identity: &Identity, plain: &[u8]) -> Vec<u8> {
    age::encrypt(&identity.to_public(), plain).unwrap()
}

/// The header's length: up to the line with its MAC, and that.
fn header_of(sealed: &[u8]) -> usize {
    sealed
        .windows(5)
        .position(|window| window == b"\n--- ")
        .unwrap()
        + 5
        + 43
        + 1
}

#[tokio::test]
async fn the_sealed_original_is_what_the_runtime_wrote_and_the_published_archive_is_redacted() {
    let (analyst, auditor) = (Identity::generate(), Identity::generate());
    for transport in [Transport::Fifo, Transport::File] {
        for bytes in [0, 100, (64 << 10) - 1536 - 2 * SECRET.len(), 5 << 20] {
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
async fn a_runtime_that_puts_a_file_in_the_fifos_place_has_its_original_sealed_too() {
    let home = Home::new();
    let identity = Identity::generate();
    let store = store(&home, KeepOriginal::Sealed(recipients(&[&identity])));
    let written = archive(100_000);
    let intake = redacting(&store, 1, Transport::Fifo, redaction()).await;
    std::fs::remove_file(intake.location()).unwrap();
    std::fs::write(intake.location(), &written).unwrap();
    let checkpoint = intake.publish(about(1)).await.unwrap();
    assert_eq!(checkpoint.transport, Transport::File);
    let sealed = std::fs::read(checkpoint.original.unwrap().path).unwrap();
    assert!(opened(&sealed, &identity).unwrap() == written);
}

#[tokio::test]
async fn an_original_in_plaintext_needs_the_explicit_setting() {
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
    let checkpoint = intake.publish(about(1)).await.unwrap();
    assert_eq!((checkpoint.original, checkpoint.redaction), (None, None));
    assert_eq!(home.published().len(), 2);
}

#[tokio::test]
async fn the_original_goes_with_its_checkpoint_and_counts_in_quotas() {
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
async fn what_cannot_be_published_leaves_no_original() {
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
async fn what_a_crash_left_of_an_original_is_swept() {
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
        let what: Vec<_> = cleaned.iter().map(|cleaned| cleaned.what).collect();
        assert_eq!(what, [Leftover::Original, Leftover::Metadata]);
        assert!(home.is_empty());
    }
}

#[test]
fn only_one_of_the_recipients_opens_what_is_sealed() {
    let identity = Identity::generate();
    let sealed = sealed_for(&identity, &archive(1000));
    let error = opened(&sealed, &Identity::generate()).unwrap_err();
    assert!(matches!(error, UnsealError::WrongKey), "{error}");
    let both = format!(
        "# two\n\n{}\n  {}\n",
        Identity::generate().to_string().expose_secret(),
        identity.to_string().expose_secret()
    );
    unseal(
        sealed.as_slice(),
        &Identities::parse(&both).unwrap(),
        &mut Vec::new(),
    )
    .unwrap();
}

#[test]
fn what_is_cut_short_anywhere_is_known_as_such() {
    let identity = Identity::generate();
    let chunk = (64 << 10) + 16;
    let sealed = sealed_for(&identity, &archive(200_000));
    let body = header_of(&sealed) + 16;
    let mut lengths: Vec<usize> = (1..body + 20).collect();
    lengths.extend([
        body + chunk - 1,
        body + chunk,
        body + chunk + 1,
        body + 2 * chunk,
        sealed.len() - 1,
    ]);
    lengths.extend(
        (0..40)
            .map(|step| step * sealed.len() / 40)
            .filter(|length| *length > 0),
    );
    for length in lengths {
        let error = opened(&sealed[..length], &identity).unwrap_err();
        assert!(matches!(error, UnsealError::CutShort), "{length}: {error}");
    }
}

#[test]
fn what_was_altered_anywhere_is_never_taken_for_the_original() {
    let identity = Identity::generate();
    let plain = archive(200_000);
    let sealed = sealed_for(&identity, &plain);
    let mut dice = Dice::new(7);
    let header = header_of(&sealed);
    let places = (0..header + 20).chain(
        (0..300)
            .map(|_| dice.below(sealed.len()))
            .collect::<Vec<_>>(),
    );
    for at in places.chain([sealed.len() - 1]) {
        let mut altered = sealed.clone();
        altered[at] ^= 1 << (at % 8);
        match opened(&altered, &identity) {
            Err(UnsealError::Altered) => assert!(at >= 22),
            Err(UnsealError::CutShort) => assert!(sealed.len() - at <= (64 << 10) + 16, "{at}"),
            Err(UnsealError::NotSealed | UnsealError::WrongKey) => assert!(at < header, "{at}"),
            other => panic!("{at}: {:?}", other.map(|plain| plain.len())),
        }
    }
    let mut longer = sealed.clone();
    longer.push(0);
    opened(&longer, &identity).unwrap_err();
    let mut twice = sealed.clone();
    twice.extend(&sealed);
    opened(&twice, &identity).unwrap_err();
}

#[test]
fn what_is_not_age_at_all_is_told_and_bounded() {
    let identity = Identity::generate();
    let armored = b"-----BEGIN AGE ENCRYPTED FILE-----\n".as_slice();
    for other in [
        b"".as_slice(),
        b"\n",
        &archive(10),
        &vec![0xff; 100_000],
        armored,
        b"age-encryption.org/v2\n",
    ] {
        let error = opened(other, &identity).unwrap_err();
        assert!(matches!(error, UnsealError::NotSealed), "{error}");
    }
    let endless = b"age-encryption.org/v1\n".chain(std::io::repeat(b'-'));
    let error = unseal(endless, &identities(&identity), &mut Vec::new()).unwrap_err();
    assert!(matches!(error, UnsealError::Altered), "{error}");
    let passphrase = age::encrypt(
        &age::scrypt::Recipient::new("word".to_owned().into()),
        b"plain",
    )
    .unwrap();
    let error = opened(&passphrase, &identity).unwrap_err();
    assert!(matches!(error, UnsealError::WrongKey), "{error}");
}

#[test]
fn a_file_is_unsealed_whole_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let identity = Identity::generate();
    let plain = archive(200_000);
    let sealed = sealed_for(&identity, &plain);
    std::fs::write(path("whole.age"), &sealed).unwrap();
    std::fs::write(path("cut.age"), &sealed[..sealed.len() - 1]).unwrap();
    std::fs::write(path("key"), identity.to_string().expose_secret()).unwrap();
    std::fs::write(
        path("wrong"),
        Identity::generate().to_string().expose_secret(),
    )
    .unwrap();
    std::fs::write(path("there"), "kept").unwrap();
    std::os::unix::fs::symlink("/nowhere", path("link")).unwrap();
    let before = crate::support::names(home.path());
    let run = |from, to, key| unseal_file(&path(from), &path(to), &path(key));
    assert!(matches!(
        run("whole.age", "out", "wrong"),
        Err(UnsealError::WrongKey)
    ));
    assert!(matches!(
        run("cut.age", "out", "key"),
        Err(UnsealError::CutShort)
    ));
    assert!(matches!(
        run("there", "out", "key"),
        Err(UnsealError::NotSealed)
    ));
    assert!(matches!(
        run("whole.age", "there", "key"),
        Err(UnsealError::Exists { .. })
    ));
    assert!(matches!(
        run("whole.age", "link", "key"),
        Err(UnsealError::Exists { .. })
    ));
    assert!(matches!(
        run("absent", "out", "key"),
        Err(UnsealError::Io { .. })
    ));
    assert!(matches!(
        run("whole.age", "out", "absent"),
        Err(UnsealError::Io { .. })
    ));
    assert!(matches!(
        run("whole.age", "nowhere/out", "key"),
        Err(UnsealError::Io { .. })
    ));
    assert_eq!(
        crate::support::names(home.path()),
        before,
        "nothing is left"
    );
    assert_eq!(std::fs::read(path("there")).unwrap(), b"kept");
    assert_eq!(run("whole.age", "out", "key").unwrap(), plain.len() as u64);
    assert!(std::fs::read(path("out")).unwrap() == plain);
    assert_eq!(mode(&path("out")), 0o600);
}

#[test]
fn a_bad_identity_file_is_told_without_the_keys_in_it() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("key");
    let identity = Identity::generate().to_string();
    let key = identity.expose_secret();
    let mistyped = format!("# mine\n{}x\n", &key[..key.len() - 1]);
    for (text, expected) in [
        (mistyped.as_bytes(), "line 2 of the identity file"),
        (b"# nothing\n\n", "holds no identity"),
        (b"", "holds no identity"),
        (&[0xff; 10], "no text of at most"),
        (&vec![b'#'; (64 << 10) + 1], "no text of at most"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = Identities::read(&file).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error:?}{error}").contains(&key[20..30]));
    }
    assert_eq!(
        format!("{:?}", Identities::parse(key).unwrap()),
        "Identities(1)"
    );
}

#[test]
fn a_bad_recipient_is_named_by_its_position_and_never_repeated() {
    let (good, identity) = (
        Identity::generate().to_public().to_string(),
        Identity::generate().to_string(),
    );
    let secret = identity.expose_secret().to_owned();
    for (wrong, word) in [
        (secret.clone(), "must stay secret"),
        (secret.to_lowercase(), "must stay secret"),
        (format!("{good}x"), "mistyped"),
        (String::new(), "mistyped"),
        ("ssh-ed25519 AAAA".to_owned(), "only X25519"),
        ("age1pq1qqqq".to_owned(), "only X25519"),
    ] {
        let error = Recipients::parse(&[good.clone(), wrong.clone()]).unwrap_err();
        assert!(
            matches!(error, Error::BadRecipient { position: 2, .. }),
            "{error}"
        );
        assert!(error.to_string().contains(word), "{error}");
        assert!(wrong.is_empty() || !format!("{error:?}{error}").contains(&wrong));
    }
    assert!(matches!(
        Recipients::parse(&[]),
        Err(Error::Recipients { given: 0, .. })
    ));
    assert!(matches!(
        Recipients::parse(&vec![good.clone(); 65]),
        Err(Error::Recipients { given: 65, .. })
    ));
    assert_eq!(Recipients::parse(&vec![good; 64]).unwrap().count(), 64);
}
