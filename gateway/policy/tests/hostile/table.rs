//! Runs every attack, and checks its code, the memory that it leaves, and the next request.

use std::path::Path;

use gateway_policy::{Engine, Policies, Spec};

use crate::made::{file, vast};
use crate::malformed;
use crate::rows::{AUTHORIZERS, REDACTORS, REFUSED_AUTHORIZERS, milliseconds};
use crate::world::{
    allows, alone, authorizer, denied, engine, load, redactor, request, resident, spec,
    with_deadline,
};

/// The most memory that an attack may leave behind, in bytes: half of a policy's limit.
const LEFT_OVER: usize = 32 << 20;

/// An engine with a policy that allows requests.
struct Trial {
    engine: Engine,
    good: Policies,
}

impl Trial {
    fn new() -> Self {
        let engine = engine();
        let good = load(&engine, vec![authorizer("allow")]);
        assert!(allows(&good));
        Self { engine, good }
    }

    /// Checks that the attack ends with `code` and leaves no memory behind, and that the next request is served.
    fn ends(&self, row: &str, code: &str, deed: impl Fn(&Engine) -> String) {
        assert_eq!(deed(&self.engine), code, "{row}");
        let before = resident();
        assert_eq!(deed(&self.engine), code, "{row}, again");
        let after = resident();
        assert!(
            after < before + LEFT_OVER,
            "{row}: {before} bytes became {after}"
        );
        assert!(allows(&self.good), "after {row}");
    }
}

/// Loads `spec`, which must fail, and returns the code with which its requests are denied.
fn refused(engine: &Engine, spec: Spec) -> String {
    let name = spec.name.clone();
    let policies = load(engine, vec![spec]);
    let (broken, fault) = policies
        .broken()
        .next()
        .unwrap_or_else(|| panic!("{name} was loaded"));
    assert_eq!(broken, name);
    let code = denied(&policies.authorize(&request("alice"))).unwrap();
    assert_eq!(code, fault.code(), "{name}: {fault}");
    code
}

/// The code of the authorizer's denial.
fn denies(policies: &Policies) -> String {
    let verdicts = policies.authorize(&request("alice"));
    assert!(verdicts[0].annotations.is_empty());
    assert_eq!(verdicts[0].digest.as_ref().unwrap().len(), 64);
    denied(&verdicts).unwrap_or_else(|| "allowed".to_owned())
}

fn plans_nothing(policies: &Policies) -> String {
    assert_eq!(
        policies.authorize(&request("alice")),
        [],
        "a redactor has no verdict"
    );
    let planning = policies.redact(&request("alice"));
    let Err((policy, fault)) = planning.plan else {
        panic!("there is a plan")
    };
    assert_eq!(policy, policies.names().first().copied().unwrap());
    assert_eq!(denied(&planning.verdicts).unwrap(), fault.code(), "{fault}");
    fault.code().to_owned()
}

fn timed(spec: Spec, code: &str) -> Spec {
    let mut spec = spec;
    spec.limits.configure_milliseconds = milliseconds(code);
    spec
}

fn loaded(engine: &Engine, spec: Spec) -> Policies {
    let policies = load(engine, vec![spec]);
    if let Some((name, fault)) = policies.broken().next() {
        panic!("{name}: {fault}");
    }
    policies
}

#[test]
fn refuses_a_hostile_authorizer_when_it_is_loaded() {
    let _process = alone();
    let trial = Trial::new();
    for (deed, code) in REFUSED_AUTHORIZERS {
        trial.ends(deed, code, |engine| {
            refused(engine, timed(authorizer(deed), code))
        });
    }
}

#[test]
fn denies_when_a_hostile_authorizer_is_called() {
    let _process = alone();
    let trial = Trial::new();
    for (deed, code) in AUTHORIZERS {
        let policies = loaded(
            &trial.engine,
            with_deadline(authorizer(deed), milliseconds(code)),
        );
        trial.ends(deed, code, |_| denies(&policies));
    }
}

#[test]
fn has_no_plan_when_a_hostile_redactor_is_called() {
    let _process = alone();
    let trial = Trial::new();
    for (deed, code) in REDACTORS {
        let policies = loaded(
            &trial.engine,
            with_deadline(redactor(deed), milliseconds(code)),
        );
        trial.ends(deed, code, |_| plans_nothing(&policies));
    }
}

#[test]
fn refuses_malformed_modules() {
    let _process = alone();
    let (trial, folder) = (Trial::new(), tempfile::tempdir().unwrap());
    for (name, code, bytes) in malformed::modules() {
        let path = file(folder.path(), name, &bytes);
        trial.ends(name, code, |engine| {
            refused(engine, timed(spec(path.clone(), name), code))
        });
    }
}

#[test]
fn refuses_files_that_are_not_modules() {
    let _process = alone();
    let (trial, folder) = (Trial::new(), tempfile::tempdir().unwrap());
    let vast = vast(folder.path());
    let rows = [
        ("vast", "policy-invalid", vast.as_path()),
        ("missing", "policy-missing", Path::new("no/such.wasm")),
        ("folder", "policy-missing", folder.path()),
    ];
    for (name, code, path) in rows {
        trial.ends(name, code, |engine| {
            refused(engine, spec(path.to_owned(), name))
        });
    }
}

#[test]
fn accepts_an_expression_that_only_backtracking_makes_slow() {
    let _process = alone();
    let policies = loaded(&engine(), redactor("regex-catastrophic"));
    assert_eq!(
        policies.redact(&request("alice")).plan.unwrap().mask.len(),
        1
    );
}
