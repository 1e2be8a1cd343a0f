//! Tests of key files: generated, read back, refused.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;

#[test]
fn signature_of_generated_key_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let (private, public) = (dir.path().join("a.key"), dir.path().join("a.pem"));
    let generated = SigningKey::generate(&private).unwrap();
    assert_eq!(std::fs::metadata(&private).unwrap().mode() & 0o777, 0o600);
    std::fs::write(&public, generated.pem()).unwrap();
    let (key, read) = (
        SigningKey::read(&private).unwrap(),
        PublicKey::read(&public).unwrap(),
    );
    assert_eq!((&read, key.public()), (&generated, &generated));
    let signature = key.sign("text");
    assert!(read.verifies("text", &signature));
    assert!(!read.verifies("test", &signature) && !read.verifies("text", ""));
    assert_eq!(PublicKey::from_base64(&read.to_base64()), Some(read));
    assert!(!format!("{key:?}").contains("pair"));
}

#[test]
fn existing_key_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.key");
    SigningKey::generate(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(
        SigningKey::generate(&path),
        Err(KeyError::File(gateway_files::Error::Exists { .. }))
    ));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn reads_key_of_rfc_8410_and_signs_as_rfc_8032() {
    // RFC 8410, section 10.3, and RFC 8032, section 7.1, test 1.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let prefix = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let der = [&prefix[..], &hex::decode(seed).unwrap()].concat();
    std::fs::write(&path, pem("PRIVATE KEY", &der)).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap();
    let signature = BASE64_STANDARD
        .decode(SigningKey::read(&path).unwrap().sign(""))
        .unwrap();
    let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155";
    assert!(hex::encode(signature).starts_with(expected));
}

#[test]
fn refuses_key_that_others_may_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    SigningKey::generate(&path).unwrap();
    for mode in [0o640, 0o604, 0o660] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        assert!(matches!(SigningKey::read(&path), Err(KeyError::Mode(_))));
    }
}

#[test]
fn refuses_file_that_holds_another_key_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let public = SigningKey::generate(&path).unwrap();
    assert!(matches!(
        PublicKey::read(&path),
        Err(KeyError::Kind("public"))
    ));
    std::fs::write(&path, public.pem()).unwrap();
    assert!(matches!(
        SigningKey::read(&path),
        Err(KeyError::Kind("private"))
    ));
    assert!(matches!(
        SigningKey::read(dir.path()),
        Err(KeyError::File(_))
    ));
}
