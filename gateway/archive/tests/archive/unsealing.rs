//! Opening sealed originals: whole or not at all, and errors that show no key.

use std::io::Read;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use gateway_archive::{Error, Identities, Recipients, UnsealError, unseal, unseal_file};

use crate::sealing::{archive, identities, opened};
use crate::specimen::Dice;
use crate::support::mode;

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

#[test]
fn only_a_recipient_can_unseal() {
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
fn detects_truncation_at_every_length() {
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
        assert!(matches!(error, UnsealError::Truncated), "{length}: {error}");
    }
}

#[test]
fn detects_alteration_at_every_byte() {
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
            Err(UnsealError::Truncated) => assert!(sealed.len() - at <= (64 << 10) + 16, "{at}"),
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
fn rejects_other_formats_within_bounds() {
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
fn unseals_a_file_whole_or_not_at_all() {
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
        Err(UnsealError::Truncated)
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
fn errors_about_identity_files_show_no_key() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("key");
    let identity = Identity::generate().to_string();
    let key = identity.expose_secret();
    let mistyped = format!("# mine\n{}x\n", &key[..key.len() - 1]);
    for (text, expected) in [
        (mistyped.as_bytes(), "line 2 of the identity file"),
        (b"# nothing\n\n", "holds no identity"),
        (b"", "holds no identity"),
        (&[0xff; 10], "not a text of at most"),
        (&vec![b'#'; (64 << 10) + 1], "not a text of at most"),
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
fn errors_about_recipients_give_the_position_only() {
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
