//! Tests which requests a policy applies to, and which requests a broken policy affects.

use gateway_core::{Action, Decision};
use gateway_policy::{Mode, Spec};

use crate::world::{
    allows, among_others, authorizer, denied, engine, guest, load, redactor, request, with_deadline,
};

fn specs_for_other_requests() -> [Spec; 3] {
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
fn a_policy_is_called_for_requests_to_which_it_applies() {
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
fn a_policy_is_not_called_for_other_requests() {
    let _process = among_others();
    let engine = engine();
    for elsewhere in specs_for_other_requests() {
        let policies = load(&engine, vec![authorizer("allow"), elsewhere]);
        assert_eq!(policies.authorize(&request("alice")).len(), 1);
        assert!(allows(&policies));
    }
}

#[test]
fn a_broken_policy_denies_only_requests_to_which_it_applies() {
    let _process = among_others();
    let engine = engine();
    for elsewhere in specs_for_other_requests() {
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
fn a_monitored_policy_is_recorded_and_has_no_effect() {
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
fn a_monitored_redactor_has_no_effect() {
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
    assert_eq!(planning.verdicts.len(), 3);
}

#[test]
fn joins_all_plans_and_has_none_after_one_failure() {
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
    assert_eq!(planning.verdicts.len(), 3);
}

#[test]
fn a_redactor_that_cannot_be_loaded_denies() {
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
fn a_pinned_digest_admits_only_that_module() {
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
