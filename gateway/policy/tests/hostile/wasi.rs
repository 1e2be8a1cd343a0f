//! Tests the empty WASI: no resources, and the same results for the same request.

use gateway_core::{Request, RequestId};
use gateway_policy::{Cache, Policies, Policy, Spec, Wasi};

use crate::world::{among_others, annotation, denied, engine, guest_of, load, request, spec};

fn granted(deed: &str) -> Spec {
    Spec {
        wasi: Wasi::Empty,
        ..spec(guest_of("wasi", "wasi"), deed)
    }
}

fn at(id: u128, milliseconds: i64) -> Request {
    Request {
        id: RequestId::from(uuid::Uuid::from_u128(id)),
        received_at: jiff::Timestamp::from_millisecond(milliseconds).unwrap(),
        ..request("alice")
    }
}

#[test]
fn names_the_imports_of_a_refused_component() {
    let _process = among_others();
    let spec = Spec {
        wasi: Wasi::None,
        ..granted("find")
    };
    let Err(fault) = Policy::load(&engine(), &spec, None) else {
        panic!("it was loaded")
    };
    assert_eq!(fault.code(), "policy-import");
    assert!(
        fault.to_string().contains("wasi:filesystem/preopens@0.2."),
        "{fault}"
    );
}

#[test]
fn has_no_environment_files_or_input() {
    let _process = among_others();
    let verdicts = load(&engine(), vec![granted("find")]).authorize(&request("alice"));
    for (name, found) in [
        ("environment", "0"),
        ("arguments", "0"),
        ("input", "0"),
        ("root", "false"),
        ("passwd", "false"),
        ("written", "false"),
    ] {
        assert_eq!(annotation(&verdicts, name), found, "{name}");
    }
}

#[test]
fn clocks_stand_still_at_the_requests_time() {
    let _process = among_others();
    let verdicts = load(&engine(), vec![granted("find")]).authorize(&at(1, 1_700_000_000_123));
    assert_eq!(annotation(&verdicts, "now"), "1700000000123");
    assert_eq!(annotation(&verdicts, "elapsed"), "0");
}

#[test]
fn random_numbers_follow_from_the_requests_id() {
    let _process = among_others();
    let policies = load(&engine(), vec![granted("find")]);
    let drawn =
        |policies: &Policies, id| annotation(&policies.authorize(&at(id, 0)), "random").to_owned();
    assert_eq!(drawn(&policies, 1), drawn(&policies, 1));
    assert_eq!(
        drawn(&policies, 1),
        drawn(&load(&engine(), vec![granted("find")]), 1)
    );
    assert_ne!(drawn(&policies, 1), drawn(&policies, 2));
}

#[test]
fn refuses_streams_opened_in_configure() {
    let _process = among_others();
    let Err(fault) = Policy::load(&engine(), &granted("print"), None) else {
        panic!("it was loaded")
    };
    assert_eq!(fault.code(), "policy-trap");
    assert!(
        fault
            .to_string()
            .contains("a standard stream in `configure`"),
        "{fault}"
    );
}

#[test]
fn traps_on_sleep_connections_and_exit() {
    let _process = among_others();
    for deed in ["sleep", "connect", "exit"] {
        let policies = load(&engine(), vec![granted(deed)]);
        assert_eq!(
            denied(&policies.authorize(&request("alice"))).as_deref(),
            Some("policy-trap"),
            "{deed}"
        );
    }
}

#[test]
fn output_counts_as_log() {
    let _process = among_others();
    let mut spec = granted("find");
    spec.limits.log_bytes = 20;
    let policies = load(&engine(), vec![spec]);
    assert_eq!(
        denied(&policies.authorize(&request("alice"))).as_deref(),
        Some("policy-log")
    );
}

#[test]
fn a_cache_entry_with_wasi_is_not_used_without_it() {
    let _process = among_others();
    let folder = tempfile::tempdir().unwrap();
    let (engine, cache) = (
        engine(),
        Cache::open(&folder.path().join("compiled")).unwrap(),
    );
    assert!(Policy::load(&engine, &granted("find"), Some(&cache)).is_ok());
    let spec = Spec {
        wasi: Wasi::None,
        ..granted("find")
    };
    let Err(fault) = Policy::load(&engine, &spec, Some(&cache)) else {
        panic!("it was loaded")
    };
    assert_eq!(fault.code(), "policy-import");
}
