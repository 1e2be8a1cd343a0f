//! Quotas and retention.

use std::time::Duration;

use gateway_archive::{Error, Limit, Limits, Quota, Scope, Settings, Store, WhenFull};
use gateway_core::Checkpoint;

use crate::catalog::{all, hold, leave, numbers, publish};
use crate::support::{Home, id, target};

fn limits(bytes: Option<u64>, count: Option<u64>) -> Limits {
    Limits { bytes, count }
}

fn at_most(count: u64) -> Quota {
    Quota {
        total: limits(None, Some(count)),
        ..Quota::default()
    }
}

fn deleting(quota: &Quota) -> Quota {
    Quota {
        when_full: WhenFull::DeleteOldest,
        ..quota.clone()
    }
}

fn store(home: &Home, quota: Quota) -> Store {
    Store::open(Settings {
        quota,
        ..home.settings()
    })
    .unwrap()
    .0
}

/// Checkpoints of 9,000 bytes each, numbered from zero.
async fn filled(home: &Home, targets: &[&str]) {
    let store = home.store();
    for (number, target) in (0..).zip(targets) {
        publish(&store, number, target, 9_000).await;
    }
}

fn refusal(store: &Store, of: &str, estimate: u64) -> (Scope, Limit) {
    match store.reserve(&target(of), Some(estimate)) {
        Err(Error::Quota { scope, limit, .. }) => (scope, limit),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_scope_has_a_limit_of_its_own() {
    let home = Home::new();
    filled(&home, &["shop/cart-0/app", "shop/cart-0/app"]).await;
    let two = limits(None, Some(2));
    let bytes = limits(Some(18_100), None);
    let beyond = [
        "shop/cart-0/app",
        "shop/cart-0/side",
        "shop/cart-1/app",
        "bank/cart-0/app",
    ];
    for (at, scope) in [Scope::Container, Scope::Pod, Scope::Namespace, Scope::Total]
        .into_iter()
        .enumerate()
    {
        let only = |limits| Quota {
            container: if scope == Scope::Container {
                limits
            } else {
                Limits::default()
            },
            pod: if scope == Scope::Pod {
                limits
            } else {
                Limits::default()
            },
            namespace: if scope == Scope::Namespace {
                limits
            } else {
                Limits::default()
            },
            total: if scope == Scope::Total {
                limits
            } else {
                Limits::default()
            },
            ..Quota::default()
        };
        for (limits, limit) in [(two, Limit::Count(2)), (bytes, Limit::Bytes(18_100))] {
            let store = store(&home, only(limits));
            assert_eq!(refusal(&store, beyond[at], 101), (scope, limit));
            for free in &beyond[at + 1..] {
                store
                    .reserve(&target(free), Some(18_100))
                    .map_or_else(|error| panic!("{scope} {free}: {error}"), drop);
            }
        }
        let store = store(&home, only(bytes));
        store.reserve(&target(beyond[at]), Some(100)).unwrap();
        assert_eq!(all(&store).len(), 2, "nothing is removed by default");
    }
}

#[tokio::test]
async fn reservations_count_until_dropped_or_published() {
    let home = Home::new();
    let store = store(&home, at_most(2));
    let first = store.reserve(&target("shop/cart-0/app"), Some(1)).unwrap();
    let second = store.reserve(&target("shop/cart-1/app"), Some(1)).unwrap();
    assert_eq!(
        refusal(&store, "shop/cart-2/app", 1),
        (Scope::Total, Limit::Count(2))
    );
    drop((first, second));
    for number in 0..2 {
        publish(&store, number, "shop/cart-0/app", 9_000).await;
    }
    assert_eq!(
        refusal(&store, "shop/cart-2/app", 1),
        (Scope::Total, Limit::Count(2))
    );
    store.delete(id(0)).unwrap();
    store.reserve(&target("shop/cart-0/app"), Some(1)).unwrap();
}

#[test]
fn concurrent_reservations_never_exceed_a_limit() {
    let home = Home::new();
    for quota in [at_most(3), deleting(&at_most(3))] {
        let store = store(&home, quota);
        let reserved = std::thread::scope(|scope| {
            let reserve = || store.reserve(&target("shop/cart-0/app"), Some(1));
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(reserve)).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().unwrap().ok())
                .collect::<Vec<_>>()
        });
        assert_eq!(reserved.len(), 3);
    }
}

#[tokio::test]
async fn removes_the_oldest_and_no_more_than_needed() {
    let home = Home::new();
    filled(
        &home,
        &[
            "shop/cart-0/app",
            "shop/cart-1/app",
            "shop/cart-0/app",
            "shop/cart-0/app",
        ],
    )
    .await;
    let quota = Quota {
        container: limits(Some(27_000), None),
        total: limits(None, Some(4)),
        ..deleting(&Quota::default())
    };
    let store = store(&home, quota);
    let before = all(&store);
    let reservation = store
        .reserve(&target("shop/cart-0/app"), Some(9_000))
        .unwrap();
    assert_eq!(
        reservation.removed(),
        &before[3..],
        "one makes room in both scopes"
    );
    assert_eq!(all(&store), &before[..3]);
    drop(reservation);
    let reservation = store
        .reserve(&target("shop/cart-0/app"), Some(18_000))
        .unwrap();
    assert_eq!(numbers(reservation.removed()), [id(2)]);
    let second = store.reserve(&target("shop/cart-9/app"), Some(1)).unwrap();
    assert_eq!(second.removed(), []);
    assert_eq!(numbers(&all(&store)), [id(3), id(1)]);
    drop((reservation, second));
    assert_eq!(home.published().len(), 4);
}

#[tokio::test]
async fn removes_nothing_where_it_would_not_suffice() {
    let home = Home::new();
    filled(
        &home,
        &["shop/cart-0/app", "shop/cart-0/app", "shop/cart-1/app"],
    )
    .await;
    let store = store(
        &home,
        deleting(&Quota {
            container: limits(Some(18_000), None),
            ..at_most(3)
        }),
    );
    assert_eq!(
        refusal(&store, "shop/cart-0/app", 18_001),
        (Scope::Container, Limit::Bytes(18_000))
    );
    store.hold(id(0), &hold("alice")).unwrap();
    assert_eq!(
        refusal(&store, "shop/cart-0/app", 9_001),
        (Scope::Container, Limit::Bytes(18_000))
    );
    for number in 1..3 {
        store.hold(id(number), &hold("alice")).unwrap();
    }
    assert_eq!(
        refusal(&store, "bank/vault-0/app", 1),
        (Scope::Total, Limit::Count(3))
    );
    assert_eq!(all(&store).len(), 3);
    store.release(id(1)).unwrap();
    let reservation = store
        .reserve(&target("shop/cart-0/app"), Some(9_000))
        .unwrap();
    assert_eq!(
        numbers(reservation.removed()),
        [id(1)],
        "the held one stays though it is older"
    );
}

#[tokio::test]
async fn removes_nothing_where_the_disk_is_too_small() {
    let home = Home::new();
    filled(&home, &["shop/cart-0/app"]).await;
    let settings = Settings {
        quota: deleting(&at_most(1)),
        min_free_bytes: u64::MAX,
        ..home.settings()
    };
    let (store, _) = Store::open(settings).unwrap();
    let refused = store
        .reserve(&target("shop/cart-0/app"), Some(1))
        .unwrap_err();
    assert!(matches!(refused, Error::NoSpace { .. }), "{refused}");
    assert_eq!(all(&store).len(), 1);
    drop(store);
    let store = self::store(&home, deleting(&at_most(1)));
    assert_eq!(
        store
            .reserve(&target("shop/cart-0/app"), Some(1))
            .unwrap()
            .removed()
            .len(),
        1
    );
}

#[tokio::test]
async fn notices_removals_and_holds_by_hand() {
    let home = Home::new();
    filled(&home, &["shop/cart-0/app"; 3]).await;
    let refusing = store(&home, at_most(3));
    let path = |store: &Store, number| store.find(id(number)).unwrap().unwrap().path;
    assert_eq!(
        refusal(&refusing, "shop/cart-0/app", 1),
        (Scope::Total, Limit::Count(3))
    );
    std::fs::remove_file(path(&refusing, 1)).unwrap();
    refusing
        .reserve(&target("shop/cart-0/app"), Some(1))
        .unwrap();
    drop(refusing);
    let deleting = store(&home, deleting(&at_most(2)));
    std::fs::write(format!("{}.hold", path(&deleting, 0).display()), "by hand").unwrap();
    let reservation = deleting
        .reserve(&target("shop/cart-0/app"), Some(1))
        .unwrap();
    assert_eq!(numbers(reservation.removed()), [id(2)]);
}

#[test]
fn a_full_quota_refuses_without_an_estimate_too() {
    let home = Home::new();
    drop(home.store());
    leave(&home, 1, "cart-0");
    let store = store(
        &home,
        Quota {
            pod: limits(Some(10), None),
            ..Quota::default()
        },
    );
    assert!(store.reserve(&target("shop/cart-0/app"), None).is_err());
    store.reserve(&target("shop/cart-1/app"), None).unwrap();
}

#[tokio::test]
async fn removes_expired_checkpoints_without_a_hold() {
    let home = Home::new();
    filled(&home, &["shop/cart-0/app"; 4]).await;
    let store = store(
        &home,
        Quota {
            max_age: Some(Duration::from_hours(1)),
            ..Quota::default()
        },
    );
    let checkpoints = all(&store);
    let begun = |number: usize| checkpoints[3 - number].created_at;
    let hour = jiff::SignedDuration::from_hours(1);
    assert_eq!(
        store.retain(begun(0) + hour).unwrap(),
        [],
        "an hour old is not older than an hour"
    );
    store.hold(id(1), &hold("alice")).unwrap();
    let removed: Vec<Checkpoint> = store.retain(begun(3) + hour).unwrap();
    assert_eq!(numbers(&removed), [id(0), id(2)]);
    assert_eq!(numbers(&all(&store)), [id(3), id(1)]);
    assert_eq!(store.retain(begun(0)).unwrap(), []);
    drop(store);
    let forever = self::store(&home, Quota::default());
    assert_eq!(forever.retain(jiff::Timestamp::MAX).unwrap(), []);
}
