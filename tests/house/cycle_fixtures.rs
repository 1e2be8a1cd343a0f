//! The cycle check on small made-up crates: cycles that it must find, and pairs that are none.

use std::path::Path;

use crate::imports::graph_of;

/// The cycles of a crate made of `(file, text)`; its root is `lib.rs`.
fn cycles_in(files: &[(&str, &str)]) -> Vec<String> {
    let read = |file: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == file);
        found.map(|(_, text)| (*text).to_owned())
    };
    graph_of(Path::new("lib.rs"), &read).cycles(Path::new(""))
}

#[track_caller]
fn assert_cycle(files: &[(&str, &str)], expected: &str) {
    assert_eq!(cycles_in(files), [expected]);
}

#[track_caller]
fn assert_none(files: &[(&str, &str)]) {
    assert_eq!(cycles_in(files), Vec::<String>::new());
}

#[test]
fn finds_siblings_that_use_each_other() {
    assert_cycle(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "use crate::a::A; pub struct B(Box<A>);"),
        ],
        "2 files:\n  a.rs -> b.rs: B\n  b.rs -> a.rs: A",
    );
}

#[test]
fn finds_a_cycle_of_three_files() {
    assert_cycle(
        &[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::{self, B}; pub struct A;"),
            ("b.rs", "use crate::c::*; pub struct B;"),
            ("c.rs", "use crate::a::A as Renamed; pub struct C;"),
        ],
        "3 files:\n  a.rs -> b.rs: B, the module\n  b.rs -> c.rs: the module\n  c.rs -> a.rs: A",
    );
}

#[test]
fn finds_paths_in_expressions_and_types() {
    assert_cycle(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub fn a() -> u8 { crate::b::b(None) }"),
            ("b.rs", "pub fn b(_: Option<super::a::A>) -> u8 { 1 }"),
        ],
        "2 files:\n  a.rs -> b.rs: b\n  b.rs -> a.rs: A",
    );
}

#[test]
fn finds_paths_in_macros_and_attributes() {
    assert_cycle(
        &[
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                r#"pub fn a() { println!("{}", [crate::b::LIMIT][0]) }"#,
            ),
            (
                "b.rs",
                "#[arg(value_parser = crate::a::a)] pub const LIMIT: u8 = 1;",
            ),
        ],
        "2 files:\n  a.rs -> b.rs: LIMIT\n  b.rs -> a.rs: a",
    );
}

#[test]
fn follows_a_reexport_to_the_defining_file() {
    assert_cycle(
        &[
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::*;"),
            ("a.rs", "use crate::B; pub struct A(B);"),
            ("b.rs", "pub struct B; impl From<crate::A> for B {}"),
        ],
        "2 files:\n  a.rs -> b.rs: B\n  b.rs -> a.rs: A",
    );
}

#[test]
fn follows_names_through_super_and_star() {
    assert_cycle(
        &[
            ("lib.rs", "mod part;"),
            (
                "part/mod.rs",
                "mod a; mod b; use self::a::A; use self::b::B;",
            ),
            ("part/a.rs", "use super::*; pub struct A(B);"),
            ("part/b.rs", "use super::A; pub struct B(A);"),
        ],
        "2 files:\n  part/a.rs -> part/b.rs: B\n  part/b.rs -> part/a.rs: A",
    );
}

#[test]
fn finds_a_way_back_into_a_module_from_its_child() {
    assert_cycle(
        &[
            ("lib.rs", "mod part; mod other;"),
            (
                "part.rs",
                "mod inner; pub use inner::Inner; pub struct Part;",
            ),
            (
                "part/inner.rs",
                "use crate::other::Other; pub struct Inner(Other);",
            ),
            ("other.rs", "use crate::part::Part; pub struct Other(Part);"),
        ],
        "3 files:\n  other.rs -> part.rs: Part\n  part/inner.rs -> other.rs: Other\n  part.rs -> part/inner.rs: Inner",
    );
}

#[test]
fn counts_a_sibling_that_hands_names_on() {
    assert_cycle(
        &[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::C; pub struct A;"),
            ("b.rs", "pub use crate::c::C; use crate::a::A;"),
            ("c.rs", "pub struct C;"),
        ],
        "2 files:\n  a.rs -> b.rs: C\n  b.rs -> a.rs: A",
    );
}

#[test]
fn sees_files_and_modules_inside_files() {
    assert_cycle(
        &[
            ("lib.rs", r#"mod outer; #[path = "elsewhere/b.rs"] mod b;"#),
            (
                "outer.rs",
                "mod inline { pub mod deep; fn f() { super::super::b::f() } }",
            ),
            ("outer/inline/deep.rs", "pub fn g() { crate::b::f() }"),
            (
                "elsewhere/b.rs",
                "pub fn f() { crate::outer::inline::deep::g() }",
            ),
        ],
        "2 files:\n  elsewhere/b.rs -> outer/inline/deep.rs: g\n  outer/inline/deep.rs -> elsewhere/b.rs: f",
    );
}

#[test]
fn parent_and_child_form_no_cycle() {
    assert_none(&[
        ("lib.rs", "mod part; pub use part::Part; pub struct Error;"),
        (
            "part.rs",
            "mod inner; pub use inner::Inner; pub struct Part(Inner);",
        ),
        (
            "part/inner.rs",
            "use super::Part; use crate::{Error, part}; pub struct Inner;",
        ),
    ]);
}

#[test]
fn one_direction_forms_no_cycle() {
    assert_none(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; use crate::c::C;"),
        (
            "b.rs",
            "use crate::c::C; pub struct B; fn f(a: u8) -> u8 { a }",
        ),
        ("c.rs", "pub struct C; use std::fmt; use ::a::Thing;"),
    ]);
}

#[test]
fn tests_inside_a_file_do_not_count() {
    assert_none(&[
        (
            "lib.rs",
            "mod a; mod b; #[cfg(all(test, unix))] mod samples;",
        ),
        ("a.rs", "use crate::b::B; pub struct A;"),
        (
            "b.rs",
            "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
        ),
    ]);
}
