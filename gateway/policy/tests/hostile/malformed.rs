//! The malformed modules and the codes with which they are refused.

use crate::made::{altered, of_core, of_text, of_world};

/// A module that is refused: its name, the code and its bytes.
pub(crate) type Malformed = (&'static str, &'static str, Vec<u8>);

/// Modules that no compiler would write.
pub(crate) fn modules() -> Vec<Malformed> {
    [imports(), worlds(), files(), cores()].concat()
}

/// A component of the world `w` that is declared in `more`.
fn of_other_world(more: &str) -> Vec<u8> {
    of_world(|contract| contract, more, "w")
}

/// An authorizer of an altered contract.
fn of_altered_contract(from: &str, to: &str) -> Vec<u8> {
    of_world(|contract| contract.replace(from, to), "", "authorizer")
}

/// Modules with imports that the contract does not offer.
fn imports() -> Vec<Malformed> {
    const SOCKETS: &str = "package wasi:sockets@0.2.0; interface tcp { connect: func(to: string); }
        world w { import tcp; include checkpoint-gateway:policy/authorizer@0.1.0; }";
    const MYSTERY: &str = "package evil:corp; interface mystery { f: func(); }
        world w { import mystery; include checkpoint-gateway:policy/authorizer@0.1.0; }";
    const FUNCTION: &str = "package evil:corp;
        world w { import exec: func(command: string); include checkpoint-gateway:policy/authorizer@0.1.0; }";
    const SECRETS: &str =
        "interface secrets { get: func() -> string; } world authorizer { import secrets;";
    let code = "policy-import";
    vec![
        ("import-of-sockets", code, of_other_world(SOCKETS)),
        ("import-of-a-mystery", code, of_other_world(MYSTERY)),
        ("import-of-a-function", code, of_other_world(FUNCTION)),
        (
            "import-by-our-name",
            code,
            of_altered_contract("world authorizer {", SECRETS),
        ),
        (
            "wrong-version",
            code,
            of_altered_contract("policy@0.1.0", "policy@0.2.0"),
        ),
    ]
}

/// Components whose exports are not those of the contract.
fn worlds() -> Vec<Malformed> {
    const HALF: &str =
        "package evil:corp; world w { export checkpoint-gateway:policy/settings@0.1.0; }";
    const BOTH: &str =
        "package evil:corp; world w { include checkpoint-gateway:policy/authorizer@0.1.0;
        include checkpoint-gateway:policy/redactor@0.1.0; }";
    const NOTHING: &str = "package evil:corp; world w { }";
    let code = "policy-world";
    vec![
        (
            "wrong-types",
            code,
            of_altered_contract("-> verdict", "-> string"),
        ),
        ("wrong-world", code, of_other_world(HALF)),
        ("both-worlds", code, of_other_world(BOTH)),
        ("no-world", code, of_other_world(NOTHING)),
        ("empty-component", code, of_text("(component)")),
    ]
}

/// Files that are not components.
fn files() -> Vec<Malformed> {
    let garbage = (0..100_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]);
    let code = "policy-invalid";
    vec![
        ("core-module", code, of_text("(module)")),
        ("empty-file", code, Vec::new()),
        ("garbage", code, garbage.collect()),
        (
            "truncated",
            code,
            altered(|bytes| bytes[..bytes.len() / 2].to_vec()),
        ),
        (
            "of-the-future",
            code,
            altered(|bytes| [&bytes[..4], &[0xff], &bytes[5..]].concat()),
        ),
    ]
}

/// Components whose core modules exceed a limit.
fn cores() -> Vec<Malformed> {
    let tables = "(table 1 funcref)".repeat(200);
    vec![
        (
            "table-bomb",
            "policy-invalid",
            of_core(&format!("(table 10000000 funcref) {CORE}")),
        ),
        (
            "tables-many",
            "policy-invalid",
            of_core(&format!("{tables} {CORE}")),
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
