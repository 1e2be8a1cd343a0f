//! Listing, finding and deleting published checkpoints.

use std::io::Read;
use std::path::{Path, PathBuf};

use gateway_archive::{Filter, Leftover, Page, Store};
use gateway_core::{Checkpoint, CheckpointId, Container, Hold, Target, Transport};

use crate::support::{Home, id, info, tar, target, write};

/// Publishes `bytes` bytes of the container `of`, through the whole store.
pub(crate) async fn publish(store: &Store, number: u128, of: &str, bytes: usize) -> Checkpoint {
    let reservation = store.reserve(&target(of), None).unwrap();
    let intake = store
        .intake(reservation, id(number), Transport::Fifo, None)
        .await
        .unwrap();
    write(intake.location(), tar(bytes), bytes).join().unwrap();
    let begun =
        info(number).created_at + jiff::SignedDuration::from_secs(i64::try_from(number).unwrap());
    let info = gateway_archive::CheckpointInfo {
        target: target(of),
        created_at: begun,
        ..info(number)
    };
    intake.publish(info).await.unwrap()
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

pub(crate) fn metadata(archive: &Path) -> PathBuf {
    PathBuf::from(format!("{}.json", archive.display()))
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

pub(crate) fn prepared() -> Home {
    let home = Home::new();
    drop(home.store());
    home
}

#[tokio::test]
async fn finds_and_reads_checkpoints_until_they_are_deleted() {
    let home = Home::new();
    let store = home.store();
    let kept = publish(&store, 1, "shop/cart-0/app", 9_000).await;
    let gone = publish(&store, 2, "shop/cart-0/app", 9_100).await;
    assert_eq!(all(&store), [gone.clone(), kept.clone()]);
    assert_eq!(store.latest(&kept.target).unwrap(), Some(gone.clone()));
    let (found, mut file) = store.open_archive(id(2)).unwrap().unwrap();
    assert_eq!(store.delete(id(2)).unwrap(), Some(gone.clone()));
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert!(bytes == tar(9_100), "an open file stays readable");
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
fn lists_a_thousand_checkpoints_in_pages_newest_first() {
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
async fn filters_by_name_and_time() {
    let home = Home::new();
    let store = home.store();
    for (number, of) in [
        (1, "shop/cart-0/app"),
        (2, "shop/cart-1/app"),
        (3, "bank/cart-0/app"),
        (4, "shop/cart-0/side"),
    ] {
        publish(&store, number, of, 9_000).await;
    }
    let begun = store.find(id(2)).unwrap().unwrap().created_at;
    let any = Filter::default;
    let text = |text: &str| Some(text.to_owned());
    let namespace = |name| Filter {
        namespace: text(name),
        ..any()
    };
    let pod = |name| Filter {
        pod: text(name),
        ..any()
    };
    let container = |name| Filter {
        container: text(name),
        ..any()
    };
    let since = Filter {
        since: Some(begun),
        ..any()
    };
    let until = Filter {
        until: Some(begun),
        ..any()
    };
    let all_three = Filter {
        namespace: text("shop"),
        pod: text("cart-0"),
        ..until.clone()
    };
    for (filter, expected) in [
        (namespace("shop"), &[4, 2, 1][..]),
        (namespace("nowhere"), &[]),
        (pod("cart-0"), &[4, 3, 1]),
        (container("side"), &[4]),
        (since, &[4, 3, 2]),
        (until, &[1]),
        (all_three, &[1]),
    ] {
        let found = numbers(&store.list(&filter, None, 10).unwrap().checkpoints);
        let expected: Vec<_> = expected.iter().map(|number| id(*number)).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn completes_a_deletion_after_a_crash() {
    let home = Home::new();
    let store = home.store();
    let deleted = publish(&store, 1, "shop/cart-0/app", 9_000).await;
    let kept = publish(&store, 2, "shop/cart-0/app", 9_000).await;
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
    let reported: Vec<_> = cleaned.iter().map(|cleaned| cleaned.kind).collect();
    assert_eq!(
        reported,
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
