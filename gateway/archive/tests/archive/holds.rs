//! Holds and metadata: files in the store that operators, crashes or other programs changed.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use gateway_archive::{Error, Filter};
use gateway_core::Checkpoint;

use crate::catalog::{all, hold, leave, metadata, numbers, prepared, publish};
use crate::support::{Home, id, mode};

fn hold_file(archive: &Path) -> PathBuf {
    PathBuf::from(format!("{}.hold", archive.display()))
}

#[tokio::test]
async fn never_deletes_a_held_checkpoint_even_after_a_restart() {
    let home = Home::new();
    let store = home.store();
    let checkpoint = publish(&store, 1, "shop/cart-0/app", 9_000).await;
    let held = store.hold(id(1), &hold("alice")).unwrap().unwrap();
    assert_eq!(
        held,
        Checkpoint {
            hold: Some(hold("alice")),
            ..checkpoint.clone()
        }
    );
    assert_eq!(mode(&hold_file(&checkpoint.path)), 0o600);
    let again = store.hold(id(1), &hold("bob")).unwrap().unwrap();
    assert_eq!(again, held, "the first hold stays");
    assert!(matches!(store.delete(id(1)), Err(Error::Held { .. })));
    drop(store);
    let store = home.store();
    assert_eq!(all(&store), std::slice::from_ref(&held));
    assert!(matches!(store.delete(id(1)), Err(Error::Held { .. })));
    for _ in 0..2 {
        assert_eq!(store.release(id(1)).unwrap(), Some(checkpoint.clone()));
    }
    assert_eq!(store.find(id(1)).unwrap(), Some(checkpoint));
    store.delete(id(1)).unwrap().unwrap();
    assert!(home.is_empty());
    assert_eq!(store.hold(id(1), &hold("alice")).unwrap(), None);
    assert_eq!(store.release(id(1)).unwrap(), None);
}

#[test]
fn an_unreadable_hold_counts_as_a_hold() {
    let home = prepared();
    let garbage = leave(&home, 1, "cart-0");
    std::fs::write(hold_file(&garbage), "garbage").unwrap();
    let linked = leave(&home, 2, "cart-0");
    symlink("/nowhere", hold_file(&linked)).unwrap();
    let store = home.store();
    let late = leave(&home, 3, "cart-0");
    let later = home.directory().with_extension("moved");
    drop(store);
    let store = home.store();
    std::fs::write(&later, serde_json::to_vec(&hold("root")).unwrap()).unwrap();
    std::fs::rename(&later, hold_file(&late)).unwrap();
    for number in 1..=3 {
        assert!(
            matches!(store.delete(id(number)), Err(Error::Held { .. })),
            "{number}"
        );
        assert!(store.find(id(number)).unwrap().unwrap().hold.is_some());
        store.release(id(number)).unwrap().unwrap();
        store.delete(id(number)).unwrap().unwrap();
    }
    assert!(home.is_empty());
}

#[test]
fn ignores_holds_and_paths_in_metadata() {
    let home = prepared();
    let path = leave(&home, 1, "cart-0");
    let mut claims: serde_json::Value =
        serde_json::from_slice(&std::fs::read(metadata(&path)).unwrap()).unwrap();
    claims["hold"] = serde_json::to_value(hold("mallory")).unwrap();
    claims["path"] = format!("/etc/{}", path.file_name().unwrap().to_str().unwrap()).into();
    std::fs::write(metadata(&path), claims.to_string()).unwrap();
    let store = home.store();
    let found = store.delete(id(1)).unwrap().unwrap();
    assert_eq!(
        (found.hold, found.path),
        (None, path),
        "nor is a path elsewhere"
    );
}

#[test]
fn skips_metadata_of_other_programs() {
    let home = prepared();
    let good = leave(&home, 1, "cart-0");
    let text = std::fs::read_to_string(metadata(&good)).unwrap();
    let beside = |name: &str| {
        let archive = home.directory().join(name);
        std::fs::write(&archive, [7; 10]).unwrap();
        metadata(&archive)
    };
    std::fs::write(beside("checkpoint-garbage.tar"), "{").unwrap();
    std::fs::write(beside("checkpoint-empty.tar"), "").unwrap();
    std::fs::write(beside("checkpoint-others.tar"), &text).unwrap();
    std::fs::write(
        beside("checkpoint-huge.tar"),
        text.clone() + &" ".repeat(1 << 20),
    )
    .unwrap();
    symlink(metadata(&good), beside("checkpoint-link.tar")).unwrap();
    std::fs::create_dir(beside("checkpoint-directory.tar")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        beside("checkpoint-fifo.tar"),
        rustix::fs::Mode::RUSR,
    )
    .unwrap();
    let renamed = text.replace("checkpoint-cart-0_shop-app-1", "checkpoint-future");
    std::fs::write(
        beside("checkpoint-future.tar"),
        renamed.replace("\"schema\":1", "\"schema\":2"),
    )
    .unwrap();
    let linked = leave(&home, 2, "cart-0");
    std::fs::remove_file(&linked).unwrap();
    symlink("/etc/passwd", &linked).unwrap();
    // A second one with the same id: the first by its name is the one.
    let twin = home.directory().join("checkpoint-z.tar");
    std::fs::write(&twin, [7; 10]).unwrap();
    std::fs::write(
        metadata(&twin),
        text.replace("checkpoint-cart-0_shop-app-1", "checkpoint-z"),
    )
    .unwrap();
    let before = home.published();
    let store = home.store();
    let listed = all(&store);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].path, good);
    assert_eq!(home.published(), before, "and nothing of it is touched");
}

#[test]
fn forgets_checkpoints_that_were_removed_by_hand() {
    let home = prepared();
    for number in 0..5 {
        leave(&home, number, "cart-0");
    }
    let store = home.store();
    let path = |number| store.find(id(number)).unwrap().unwrap().path;
    let (archive, described, garbage) = (path(4), metadata(&path(2)), metadata(&path(3)));
    std::fs::remove_file(archive).unwrap();
    std::fs::remove_file(described).unwrap();
    std::fs::write(garbage, "garbage").unwrap();
    assert_eq!(
        store
            .latest(&"shop/cart-0/app".parse().unwrap())
            .unwrap()
            .unwrap()
            .id,
        id(1)
    );
    assert_eq!(numbers(&all(&store)), [id(1), id(0)]);
    let page = store.list(&Filter::default(), None, 1).unwrap();
    assert_eq!(
        (numbers(&page.checkpoints), page.next),
        (vec![id(1)], Some(id(1)))
    );
    assert_eq!(store.delete(id(4)).unwrap(), None);
}

#[test]
fn does_not_serve_an_altered_archive() {
    let home = prepared();
    let paths: Vec<_> = (0..4)
        .map(|number| leave(&home, number, "cart-0"))
        .collect();
    for path in &paths {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    }
    let store = home.store();
    std::fs::write(&paths[1], [7; 11]).unwrap();
    std::fs::remove_file(&paths[2]).unwrap();
    symlink(&paths[0], &paths[2]).unwrap();
    std::fs::set_permissions(&paths[3], PermissionsExt::from_mode(0o640)).unwrap();
    store.open_archive(id(0)).unwrap().unwrap();
    for (number, word) in [(1, "length"), (2, "regular"), (3, "others")] {
        let error = store.open_archive(id(number)).unwrap_err();
        assert!(
            matches!(error, Error::Altered { reason, .. } if reason.contains(word)),
            "{error}"
        );
    }
}
