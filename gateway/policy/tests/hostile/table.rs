//! Runs every attack, and checks its code, the memory that it leaves, and the next request.

use std::path::Path;

use gateway_policy::{Engine, Policies, Spec};

use crate::made::{altered, file, of_core, of_text, of_world, vast};
use crate::rows::{AUTHORIZERS, REDACTORS, REFUSED_AUTHORIZERS, milliseconds};
use crate::world::{
    allows, alone, authorizer, denied, engine, load, redactor, request, resident, spec,
    with_deadline,
};

/// The most memory that an attack may leave behind, in bytes: half of a policy's limit.
const LEFT_OVER: usize = 32 << 20;

/// Modules that no compiler would write.
fn made() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    const SOCKETS: &str = "package wasi:sockets@0.2.0; interface tcp { connect: func(to: string); }
        world w { import tcp; include checkpoint-gateway:policy/authorizer@0.1.0; }";
    const MYSTERY: &str = "package evil:corp; interface mystery { f: func(); }
        world w { import mystery; include checkpoint-gateway:policy/authorizer@0.1.0; }";
    const FUNCTION: &str = "package evil:corp;
        world w { import exec: func(command: string); include checkpoint-gateway:policy/authorizer@0.1.0; }";
    const SECRETS: &str =
        "interface secrets { get: func() -> string; } world authorizer { import secrets;";
    const HALF: &str =
        "package evil:corp; world w { export checkpoint-gateway:policy/settings@0.1.0; }";
    const BOTH: &str =
        "package evil:corp; world w { include checkpoint-gateway:policy/authorizer@0.1.0;
        include checkpoint-gateway:policy/redactor@0.1.0; }";
    const NOTHING: &str = "package evil:corp; world w { }";
    let with = |more| of_world(|contract| contract, more, "w");
    let lie = |from: &'static str, to: &str| {
        of_world(|contract| contract.replace(from, to), "", "authorizer")
    };
    vec![
        ("import-of-sockets", "policy-import", with(SOCKETS)),
        ("import-of-a-mystery", "policy-import", with(MYSTERY)),
        ("import-of-a-function", "policy-import", with(FUNCTION)),
        (
            "import-by-our-name",
            "policy-import",
            lie("world authorizer {", SECRETS),
        ),
        (
            "wrong-version",
            "policy-import",
            lie("policy@0.1.0", "policy@0.2.0"),
        ),
        (
            "wrong-types",
            "policy-world",
            lie("-> verdict", "-> string"),
        ),
        ("wrong-world", "policy-world", with(HALF)),
        ("both-worlds", "policy-world", with(BOTH)),
        ("no-world", "policy-world", with(NOTHING)),
        ("empty-component", "policy-world", of_text("(component)")),
        ("core-module", "policy-invalid", of_text("(module)")),
        ("empty-file", "policy-invalid", Vec::new()),
        (
            "garbage",
            "policy-invalid",
            (0..100_000_u32)
                .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
                .collect(),
        ),
        (
            "truncated",
            "policy-invalid",
            altered(|bytes| bytes[..bytes.len() / 2].to_vec()),
        ),
        (
            "of-the-future",
            "policy-invalid",
            altered(|bytes| [&bytes[..4], &[0xff], &bytes[5..]].concat()),
        ),
        (
            "table-bomb",
            "policy-invalid",
            of_core(&format!("(table 10000000 funcref) {CORE}")),
        ),
        (
            "tables-many",
            "policy-invalid",
            of_core(&format!("{} {CORE}", "(table 1 funcref)".repeat(200))),
        ),
        (
            "table-grown",
            "policy-invalid",
            of_core(&format!("(table 1 funcref) {CORE} {GROWING}")),
        ),
        (
            "start-without-an-end",
            "policy-deadline",
            of_core(&format!("{CORE} {STARTING}")),
        ),
    ]
}

const CORE: &str = r#"(memory (export "memory") 1)
    (func (export "checkpoint-gateway:policy/settings@0.1.0#configure") (param i32 i32) (result i32) i32.const 0)"#;
const GROWING: &str =
    "(func $grow (loop (drop (table.grow (ref.null func) (i32.const 1000))) (br 0))) (start $grow)";
const STARTING: &str = "(func $spin (loop (br 0))) (start $spin)";

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
    for (name, code, bytes) in made() {
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
