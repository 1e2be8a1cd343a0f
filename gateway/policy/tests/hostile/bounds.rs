//! Tests the bounds on memory and time of all policies together.

use std::time::{Duration, Instant};

use gateway_policy::Engine;

use crate::world::{
    MEMORY, SLOTS, alone, among_others, authorizer, denied, engine, forget_peak, load, peak,
    request, resident, with_deadline,
};

#[test]
fn concurrent_memory_hogs_stay_within_the_pool() {
    let _process = alone();
    let policies = load(&engine(), vec![with_deadline(authorizer("memory"), 60_000)]);
    assert_eq!(
        denied(&policies.authorize(&request("alice"))).unwrap(),
        "policy-memory"
    );
    let before = resident();
    forget_peak();
    std::thread::scope(|scope| {
        let hog = || denied(&policies.authorize(&request("alice"))).unwrap();
        let hogs: Vec<_> = (0..64).map(|_| scope.spawn(hog)).collect();
        for hog in hogs {
            assert_eq!(hog.join().unwrap(), "policy-memory");
        }
    });
    let (most, after) = (peak() - before, resident());
    assert!(
        most > MEMORY / 2,
        "{most} bytes: no policy allocated memory"
    );
    assert!(most < SLOTS * MEMORY + (32 << 20), "{most} bytes at once");
    assert!(after < before + (32 << 20), "{before} bytes became {after}");
}

#[test]
fn interrupts_an_endless_guest() {
    let _process = alone();
    for milliseconds in [1, 10, 100] {
        let policies = load(
            &engine(),
            vec![with_deadline(authorizer("loop"), milliseconds)],
        );
        let started = Instant::now();
        let verdicts = policies.authorize(&request("alice"));
        let took = started.elapsed();
        assert_eq!(denied(&verdicts).unwrap(), "policy-deadline");
        assert!(
            took >= Duration::from_millis(milliseconds),
            "{took:?} of {milliseconds} ms"
        );
        // The benchmark measures how soon after the deadline; this only checks that the end came from it.
        assert!(
            took < Duration::from_secs(10),
            "{took:?} of {milliseconds} ms"
        );
    }
}

#[test]
fn rejects_an_answer_after_the_deadline() {
    let _process = among_others();
    let policies = load(&engine(), vec![with_deadline(authorizer("late-once"), 1)]);
    assert_eq!(
        denied(&policies.authorize(&request("alice"))).unwrap(),
        "policy-deadline"
    );
}

#[test]
fn the_deadline_includes_the_wait_for_a_slot() {
    let _process = among_others();
    let engine = Engine::new(1, MEMORY).unwrap();
    let long = load(&engine, vec![with_deadline(authorizer("loop"), 3_000)]);
    let short = load(&engine, vec![with_deadline(authorizer("allow"), 20)]);
    std::thread::scope(|scope| {
        let hog = scope.spawn(|| denied(&long.authorize(&request("mallory"))));
        let waited = loop {
            assert!(!hog.is_finished(), "no call waited");
            let started = Instant::now();
            if denied(&short.authorize(&request("alice")))
                .is_some_and(|code| code == "policy-deadline")
            {
                break started.elapsed();
            }
        };
        assert!(
            !hog.is_finished(),
            "the wait for a slot outlasted its deadline"
        );
        assert!(waited >= Duration::from_millis(20), "{waited:?}");
        assert_eq!(hog.join().unwrap().unwrap(), "policy-deadline");
    });
    assert_eq!(denied(&short.authorize(&request("alice"))), None);
}

#[test]
fn a_short_deadline_never_expires_early() {
    let _process = alone();
    let policies = load(&engine(), vec![with_deadline(authorizer("allow"), 20)]);
    for n in 0..2_000 {
        let verdicts = policies.authorize(&request("alice"));
        let took = Duration::from_micros(verdicts[0].microseconds);
        let early = denied(&verdicts).is_some() && took < Duration::from_millis(20);
        assert!(!early, "call {n} was ended after {took:?}");
    }
}

#[test]
fn a_verdict_contains_time_and_memory() {
    let _process = among_others();
    let policies = load(&engine(), vec![authorizer("allow"), authorizer("memory")]);
    let verdicts = policies.authorize(&request("alice"));
    assert!(
        (1 << 16..4 << 20).contains(&verdicts[0].memory_bytes),
        "{verdicts:?}"
    );
    assert!(
        (32 << 20..=64 << 20).contains(&verdicts[1].memory_bytes),
        "{verdicts:?}"
    );
    assert!(verdicts.iter().all(|verdict| verdict.microseconds > 0));
}
