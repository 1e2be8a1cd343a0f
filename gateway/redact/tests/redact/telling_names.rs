//! The detector of telling names: which variables it takes, and that it hides them in every place.

use gateway_core::{Pattern, Plan};
use gateway_redact::Redaction;

use crate::plans::{redact, rule};
use crate::specimen::{Runtime, Specimen, laid_open};

fn plan(detectors: &[&str], globs: &[&str]) -> Plan {
    let detectors = detectors
        .iter()
        .map(|name| rule(name, Pattern::Detector((*name).to_owned())));
    let globs = globs
        .iter()
        .map(|glob| rule(glob, Pattern::EnvValue((*glob).to_owned())));
    Plan {
        mask: detectors.chain(globs).collect(),
        ..Plan::default()
    }
}

/// The redacted archive of a container with these variables, whose log, files and heap name each value once more.
fn redacted(variables: &[(&str, &str)], plan: Plan, runtime: Runtime) -> String {
    let environment = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let mut specimen = Specimen::new(environment.collect());
    let values: Vec<_> = variables.iter().map(|(_, value)| *value).collect();
    let text = format!("seen {} here\n", values.join(" and "));
    specimen.log.extend(text.as_bytes());
    specimen
        .rootfs
        .push(("app/settings".to_owned(), text.clone().into_bytes()));
    specimen.processes[0].heap[8192..8192 + text.len()].copy_from_slice(text.as_bytes());
    let redaction = Redaction {
        plan,
        ..Redaction::default()
    };
    let (archive, _) = redact(redaction, &specimen.archive(runtime)).unwrap();
    String::from_utf8_lossy(&laid_open(&archive)).into_owned()
}

#[test]
fn hides_telling_variables_in_every_place() {
    let variables = [
        ("DB_PASS", "Wq7rT2yUe9aB"),
        ("githubPat", "Zx9cVb7nMk3L"),
        ("AUTHOR", "Gh2jKl8mNp5Q"),
        ("SECRET_PATH", "Ty6uIo4pAs1D"),
        ("AUTH_SERVICE_HOST", "Rf4vTg6bYh8N"),
    ];
    for runtime in [Runtime::Containerd, Runtime::CriO] {
        let open = redacted(&variables, plan(&["telling-names"], &[]), runtime);
        for (name, value) in &variables[..2] {
            assert!(!open.contains(value), "{name}");
        }
        for (name, value) in &variables[2..] {
            // Of two processes and the specification; the log, a file and the heap.
            assert!(open.matches(value).count() >= 6, "{name}");
        }
    }
}

#[test]
fn no_exception_holds_against_a_glob() {
    let variables = [
        ("SECRET_PATH", "Ty6uIo4pAs1D"),
        ("MY_MONKEY", "Rf4vTg6bYh8N"),
        ("my_monkey", "Wq7rT2yUe9aB"),
    ];
    let plan = plan(&["telling-names"], &["*_PATH", "MY_*"]);
    let open = redacted(&variables, plan, Runtime::Containerd);
    assert!(!open.contains("Ty6uIo4pAs1D") && !open.contains("Rf4vTg6bYh8N"));
    assert!(open.contains("Wq7rT2yUe9aB"), "globs are case-sensitive");
}

#[test]
fn hides_copies_of_the_credential_in_an_address() {
    let url = "DATABASE_URL=postgres://cart:Ty6u%20Io4pAs1D@db.shop.svc/x";
    let mut specimen = Specimen::new(vec![url.to_owned()]);
    specimen.log.extend(b"connected with Ty6u Io4pAs1D\n");
    specimen.processes[0].heap[8192..8204].copy_from_slice(b"Ty6u Io4pAs1");
    specimen.processes[0].heap[8204] = b'D';
    let redaction = Redaction {
        plan: plan(&["telling-names", "basic-auth-url"], &[]),
        ..Redaction::default()
    };
    let (archive, _) = redact(redaction, &specimen.archive(Runtime::Containerd)).unwrap();
    let open = String::from_utf8_lossy(&laid_open(&archive)).into_owned();
    assert!(
        open.contains("connected with *************"),
        "hidden in the log"
    );
    assert!(!open.contains("Ty6u") && open.contains("@db.shop.svc/x"));
}

#[test]
fn templates_in_a_program_are_no_credentials() {
    let program = "SCRIPT=f = (PASSWORD) => `amqp://u:${PASSWORD}@q;password=${PASSWORD}`;";
    let mut specimen = Specimen::new(vec![program.to_owned()]);
    let compiled_late = b"later = `${user}:${PASSWORD}`";
    specimen.processes[0].heap[8192..8192 + compiled_late.len()].copy_from_slice(compiled_late);
    let redaction = Redaction {
        plan: plan(
            &["telling-names", "basic-auth-url", "connection-string"],
            &[],
        ),
        ..Redaction::default()
    };
    let (archive, _) = redact(redaction, &specimen.archive(Runtime::Containerd)).unwrap();
    let open = String::from_utf8_lossy(&laid_open(&archive)).into_owned();
    assert!(open.contains("later = `${user}:${PASSWORD}`"));
    assert!(open.contains("password=${PASSWORD}`"));
}

#[test]
fn hides_the_credential_within_an_address_only() {
    let variables = [
        ("DATABASE_URL", "postgres://cart:Ty6uIo4pAs1D@db.shop.svc/x"),
        (
            "STORAGE_CONNECTION_STRING",
            "AccountName=shop;AccountKey=Rf4vTg6bYh8N;EndpointSuffix=core.example",
        ),
    ];
    let plan = plan(
        &["telling-names", "basic-auth-url", "connection-string"],
        &[],
    );
    let open = redacted(&variables, plan, Runtime::Containerd);
    assert!(!open.contains("Ty6uIo4pAs1D") && !open.contains("Rf4vTg6bYh8N"));
    assert!(open.contains("postgres://cart:************@db.shop.svc/x"));
    assert!(open.contains("AccountName=shop;AccountKey=************;"));
}
