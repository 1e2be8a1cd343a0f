use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use gateway_archive::{Error, Filter, Leftover, Page, Store};
use gateway_core::{Checkpoint, CheckpointId, Container, Hold, Target, Transport};

use crate::support::{Home, about, id, mode, tar, target, write};

/// Publishes `bytes` bytes of the container `of`, through the whole store.
pub(crate) async fn publish(store: &Store, number: u128, of: &str, bytes: usize) -> Checkpoint {
    let reservation = store.reserve(&target(of), None).unwrap();
    let intake = store
        .intake(reservation, id(number), Transport::Fifo, None)
        .await
        .unwrap();
    write(intake.location(), tar(bytes), bytes).join().unwrap();
    let begun =
        about(number).created_at + jiff::SignedDuration::from_secs(i64::try_from(number).unwrap());
    let about = gateway_archive::About {
        target: target(of),
        created_at: begun,
        ..about(number)
    };
    intake.publish(about).await.unwrap()
}

/// Puts a checkpoint into the directory as a gateway before this one would have left it.
pub(crate) fn leave(home: &Home, number: u128, pod: &str) -> PathBuf {
    let name = format!("checkpoint-{pod}_shop-app-{number}.tar");
    let path = home.directory().join(&name);
    std::fs::write(&path, [7; 10]).unwrap();
    let target = Target::new("shop", pod, "app").unwrap();
    let facts = serde_json::to_string(&Container::named(target, "")).unwrap();
    let text = format!(
        r#"{{"schema":1,"id":"{}","path":"{}","bytes":10,"sha256":"","created_at":"2026-11-22T10:00:00Z",
        "created_by":"alice","reason":null,"namespace":"shop","pod":"{pod}","container":"app","container_id":"",
        "pod_uid":"","image":"","facts":{facts},"runtime":{{"name":"","version":""}},"transport":"fifo",
        "request_id":"{}","trace_id":null}}"#,
        id(number),
        path.display(),
        id(number),
    );
    std::fs::write(metadata(&path), text).unwrap();
    path
}

fn metadata(archive: &Path) -> PathBuf {
    PathBuf::from(format!("{}.json", archive.display()))
}

fn hold_file(archive: &Path) -> PathBuf {
    PathBuf::from(format!("{}.hold", archive.display()))
}

pub(crate) fn all(store: &Store) -> Vec<Checkpoint> {
    store
        .list(&Filter::default(), None, 1000)
        .unwrap()
        .checkpoints
}

pub(crate) fn numbers(checkpoints: &[Checkpoint]) -> Vec<CheckpointId> {
    checkpoints.iter().map(|checkpoint| checkpoint.id).collect()
}

pub(crate) fn hold(by: &str) -> Hold {
    Hold {
        by: by.to_owned(),
        at: "2026-11-23T00:00:00Z".parse().unwrap(),
        reason: Some("a case".to_owned()),
    }
}

fn prepared() -> Home {
    let home = Home::new();
    drop(home.store());
    home
}

#[tokio::test]
async fn what_is_published_is_found_listed_and_read_until_it_is_deleted() {
    let home = Home::new();
    let store = home.store();
    let kept = publish(&store, 1, "shop/cart-0/app", 600).await;
    let gone = publish(&store, 2, "shop/cart-0/app", 700).await;
    assert_eq!(all(&store), [gone.clone(), kept.clone()]);
    assert_eq!(store.latest(&kept.target).unwrap(), Some(gone.clone()));
    let (found, mut file) = store.open_archive(id(2)).unwrap().unwrap();
    assert_eq!(store.delete(id(2)).unwrap(), Some(gone.clone()));
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert!(bytes == tar(700), "whoever has it open reads on");
    assert_eq!(found, gone);
    assert_eq!(store.delete(id(2)).unwrap(), None);
    assert_eq!(store.find(id(2)).unwrap(), None);
    assert!(
        store.open_archive(id(2)).unwrap().is_none()
            && store.open_original(id(1)).unwrap().is_none()
    );
    assert_eq!(store.latest(&kept.target).unwrap(), Some(kept.clone()));
    assert_eq!(home.published().len(), 2);
    let before = all(&store);
    drop(store);
    assert_eq!(all(&home.store()), before);
}

#[test]
fn a_thousand_checkpoints_are_listed_page_by_page_newest_first() {
    let home = prepared();
    for number in 0..1050 {
        leave(&home, number, "cart-0");
    }
    let store = home.store();
    let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = store.list(&Filter::default(), after, 100).unwrap();
        seen.extend(numbers(&page.checkpoints));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..1050).rev().map(id).collect::<Vec<_>>());
    assert_eq!(pages, 11);
    assert_eq!(
        store
            .list(&Filter::default(), None, usize::MAX)
            .unwrap()
            .checkpoints
            .len(),
        1000
    );
    assert_eq!(
        store
            .list(&Filter::default(), None, 0)
            .unwrap()
            .checkpoints
            .len(),
        1
    );
    let end = Page {
        checkpoints: Vec::new(),
        next: None,
    };
    assert_eq!(
        store.list(&Filter::default(), Some(id(0)), 100).unwrap(),
        end
    );
    let exact = store.list(&Filter::default(), Some(id(100)), 100).unwrap();
    assert_eq!(
        (exact.checkpoints.len(), exact.next),
        (100, None),
        "a full last page has no next"
    );
}

#[tokio::test]
async fn filters_choose_by_name_and_time() {
    let home = Home::new();
    let store = home.store();
    for (number, of) in [
        (1, "shop/cart-0/app"),
        (2, "shop/cart-1/app"),
        (3, "bank/cart-0/app"),
        (4, "shop/cart-0/side"),
    ] {
        publish(&store, number, of, 600).await;
    }
    let chosen = |filter: Filter| numbers(&store.list(&filter, None, 10).unwrap().checkpoints);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        chosen(Filter {
            namespace: text("shop"),
            ..Filter::default()
        }),
        [id(4), id(2), id(1)]
    );
    assert_eq!(
        chosen(Filter {
            pod: text("cart-0"),
            ..Filter::default()
        }),
        [id(4), id(3), id(1)]
    );
    assert_eq!(
        chosen(Filter {
            container: text("side"),
            ..Filter::default()
        }),
        [id(4)]
    );
    let begun = store.find(id(2)).unwrap().unwrap().created_at;
    assert_eq!(
        chosen(Filter {
            since: Some(begun),
            ..Filter::default()
        }),
        [id(4), id(3), id(2)]
    );
    assert_eq!(
        chosen(Filter {
            until: Some(begun),
            ..Filter::default()
        }),
        [id(1)]
    );
    let both = Filter {
        namespace: text("shop"),
        pod: text("cart-0"),
        until: Some(begun),
        ..Filter::default()
    };
    assert_eq!(chosen(both), [id(1)]);
    assert_eq!(
        chosen(Filter {
            namespace: text("nowhere"),
            ..Filter::default()
        }),
        []
    );
}

#[tokio::test]
async fn a_held_checkpoint_is_never_deleted_also_after_a_restart() {
    let home = Home::new();
    let store = home.store();
    let checkpoint = publish(&store, 1, "shop/cart-0/app", 600).await;
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
fn whatever_stands_in_a_holds_place_holds() {
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
fn a_hold_that_metadata_claims_is_not_believed() {
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
fn metadata_that_is_not_certainly_ours_is_passed_over() {
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
fn what_is_removed_by_hand_is_forgotten_when_it_is_met() {
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
fn an_archive_that_was_altered_is_not_served() {
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

#[tokio::test]
async fn what_a_crash_left_of_a_deletion_is_swept() {
    let home = Home::new();
    let store = home.store();
    let deleted = publish(&store, 1, "shop/cart-0/app", 600).await;
    let kept = publish(&store, 2, "shop/cart-0/app", 600).await;
    drop(store);
    let name = |suffix: &str| PathBuf::from(format!("{}{suffix}", deleted.path.display()));
    std::fs::remove_file(&deleted.path).unwrap();
    std::fs::write(name(".age"), "age-encryption.org/v1").unwrap();
    std::fs::write(name(".hold"), "{}").unwrap();
    std::fs::write(deleted.path.with_extension("original.tar"), "secrets").unwrap();
    let not_ours = [
        "checkpoint-x.original.tar",
        "checkpoint-x.tar.age",
        "checkpoint-x.tar.hold",
        "notes.tar.age",
    ];
    for name in not_ours {
        std::fs::write(home.directory().join(name), "").unwrap();
    }
    let (store, cleaned) = Store::open(home.settings()).unwrap();
    let told: Vec<_> = cleaned.iter().map(|cleaned| cleaned.what).collect();
    assert_eq!(
        told,
        [
            Leftover::Original,
            Leftover::Original,
            Leftover::Hold,
            Leftover::Metadata
        ]
    );
    assert_eq!(all(&store), [kept]);
    assert_eq!(home.published().len(), 2 + not_ours.len());
}
