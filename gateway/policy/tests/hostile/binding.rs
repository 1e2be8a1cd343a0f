//! Which requests a policy is asked about, and what a broken one takes down.

use gateway_core::{Action, Decision};
use gateway_policy::{Mode, Spec};

use crate::world::{
    allows, among_others, authorizer, denied, engine, guest, load, redactor, request, with_deadline,
};

fn bound_elsewhere() -> [Spec; 3] {
    [
        Spec {
            actions: vec![Action::Delete],
            ..authorizer("unreachable")
        },
        Spec {
            namespaces: vec!["bank".into()],
            ..authorizer("unreachable")
        },
        Spec {
            pod_labels: [("tier".into(), "lead".into())].into(),
            ..authorizer("unreachable")
        },
    ]
}

#[test]
fn a_policy_is_asked_about_the_requests_that_it_is_bound_to() {
    let _process = among_others();
    let here = Spec {
        actions: vec![Action::Delete, Action::Create],
        namespaces: vec!["bank".into(), "shop".into()],
        pod_labels: [("tier".into(), "gold".into())].into(),
        ..authorizer("deny")
    };
    let policies = load(&engine(), vec![authorizer("allow"), here]);
    assert_eq!(
        denied(&policies.authorize(&request("alice"))).unwrap(),
        "not-today"
    );
}

#[test]
fn a_policy_is_not_asked_about_others() {
    let _process = among_others();
    let engine = engine();
    for elsewhere in bound_elsewhere() {
        let policies = load(&engine, vec![authorizer("allow"), elsewhere]);
        assert_eq!(policies.authorize(&request("alice")).len(), 1);
        assert!(allows(&policies));
    }
}

#[test]
fn a_broken_policy_takes_down_only_the_requests_that_it_is_bound_to() {
    let _process = among_others();
    let engine = engine();
    for elsewhere in bound_elsewhere() {
        let broken = Spec {
            file: "no/such.wasm".into(),
            name: "broken".into(),
            ..elsewhere
        };
        let here = Spec {
            actions: vec![],
            namespaces: vec![],
            pod_labels: [].into(),
            ..broken.clone()
        };
        let policies = load(&engine, vec![authorizer("allow"), broken]);
        assert_eq!(
            policies.broken().map(|(name, _)| name).collect::<Vec<_>>(),
            ["broken"]
        );
        assert!(allows(&policies));
        let policies = load(&engine, vec![authorizer("allow"), here]);
        assert_eq!(
            denied(&policies.authorize(&request("alice"))).unwrap(),
            "policy-missing"
        );
    }
}

#[test]
fn a_monitored_policy_is_recorded_and_changes_nothing() {
    let _process = among_others();
    let watch = |spec| Spec {
        mode: Mode::Monitor,
        ..spec
    };
    let hostile = [
        watch(authorizer("deny")),
        watch(authorizer("unreachable")),
        watch(authorizer("schema-text")),
    ];
    let policies = load(
        &engine(),
        [authorizer("allow")].into_iter().chain(hostile).collect(),
    );
    let verdicts = policies.authorize(&request("alice"));
    assert_eq!(denied(&verdicts), None);
    assert_eq!(
        verdicts.iter().filter(|verdict| verdict.monitored).count(),
        3
    );
    assert!(
        verdicts[1..]
            .iter()
            .all(|verdict| matches!(verdict.decision, Decision::Deny(_)))
    );

    let policies = load(&engine(), vec![watch(authorizer("allow"))]);
    assert_eq!(
        denied(&policies.authorize(&request("alice"))).unwrap(),
        "no-policy-allows"
    );
}

#[test]
fn a_monitored_redactor_hides_nothing_and_fails_nothing() {
    let _process = among_others();
    let watch = |spec| Spec {
        mode: Mode::Monitor,
        ..spec
    };
    let specs = vec![
        watch(redactor("plan")),
        watch(with_deadline(redactor("loop"), 20)),
        redactor("plan"),
    ];
    let planning = load(&engine(), specs).redact(&request("alice"));
    assert_eq!(planning.plan.unwrap().mask.len(), 1);
    assert_eq!(planning.asked.len(), 3);
}

#[test]
fn the_plans_of_all_redactors_are_joined_and_one_failure_leaves_none() {
    let _process = among_others();
    let engine = engine();
    let policies = load(&engine, vec![redactor("plan"), redactor("other")]);
    assert_eq!(
        policies.redact(&request("alice")).plan.unwrap().mask.len(),
        2
    );
    let policies = load(
        &engine,
        vec![redactor("plan"), redactor("refuse"), redactor("panic")],
    );
    let planning = policies.redact(&request("alice"));
    let (policy, fault) = planning.plan.unwrap_err();
    assert_eq!(
        (policy.as_str(), fault.code()),
        ("refuse", "policy-refused")
    );
    assert_eq!(planning.asked.len(), 3);
}

#[test]
fn a_redactor_that_cannot_be_loaded_lets_nothing_through() {
    let _process = among_others();
    let policies = load(
        &engine(),
        vec![authorizer("allow"), redactor("configure-trap")],
    );
    assert_eq!(
        denied(&policies.authorize(&request("alice"))).unwrap(),
        "policy-trap"
    );
    assert_eq!(
        policies
            .redact(&request("alice"))
            .plan
            .unwrap_err()
            .1
            .code(),
        "policy-trap"
    );
}

#[test]
fn a_pin_lets_one_module_in_and_no_other() {
    let _process = among_others();
    let engine = engine();
    let policies = load(&engine, vec![authorizer("allow")]);
    let digest = policies.authorize(&request("alice"))[0]
        .digest
        .clone()
        .unwrap();
    let pinned = |to: &str| Spec {
        sha256: Some(to.to_owned()),
        ..authorizer("allow")
    };
    assert!(allows(&load(&engine, vec![pinned(&digest)])));
    assert!(allows(&load(&engine, vec![pinned(&digest.to_uppercase())])));
    for wrong in ["0".repeat(64), digest[..63].to_owned(), String::new()] {
        let policies = load(&engine, vec![pinned(&wrong)]);
        assert_eq!(
            denied(&policies.authorize(&request("alice"))).unwrap(),
            "policy-digest"
        );
    }
    let other = Spec {
        file: guest("redactor"),
        ..pinned(&digest)
    };
    assert_eq!(
        denied(&load(&engine, vec![other]).authorize(&request("alice"))).unwrap(),
        "policy-digest"
    );
}
