//! `GET /openapi.json`: the interface as it describes itself. That every answer is as it is described is checked in every
//! test, by `support/described.rs`.

mod answers;
mod inputs;
mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use gateway_server::{Error, Listed, Route};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::described::{document, resolved};
use crate::support::programs::daemon;

/// The page that lists the codes for readers.
const PAGE: &str = include_str!("../docs/api.md");

/// The methods that an item of `paths` can have.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Every operation of the document, with its template and method.
fn operations() -> Vec<(&'static str, Method, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(template, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| {
                assert!(METHODS.contains(&method.as_str()), "{template} {method}");
                (
                    template.as_str(),
                    method.to_uppercase().parse().unwrap(),
                    operation,
                )
            })
    });
    operations.collect()
}

/// The parameters of an operation.
fn parameters(operation: &'static Value) -> impl Iterator<Item = &'static Value> {
    operation["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(resolved)
}

/// All values under `key`, wherever they are.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|value| all(value, key, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, key, found)),
        _ => {}
    }
}

#[tokio::test]
async fn serves_the_document_and_prints_it_without_a_gateway() {
    let world = World::new().await;
    let served = world.client("mallory").get("/openapi.json").await;
    assert_eq!(
        (served.status, served.header("content-type")),
        (StatusCode::OK, "application/json")
    );
    let record = world.audit().pop().unwrap();
    assert_eq!(
        (&record["event"], &record["status"]),
        (&"outcome".into(), &200.into()),
        "{record}"
    );
    assert_eq!(
        (&record["action"], &record["user"]),
        (&Value::Null, &"mallory".into()),
        "{record}"
    );
    assert_eq!(record["verdicts"], json!([]), "no policy is asked");
    let counted = "checkpoint_gateway_requests_total{action=\"openapi\",status=\"200\",code=\"\"}";
    assert_eq!(world.gateway.counted(counted, 1.0).await.to_string(), "1");
    let printed = Command::new(daemon())
        .arg("openapi")
        .env_clear()
        .output()
        .unwrap();
    assert!(printed.status.success() && printed.stderr.is_empty());
    assert!(printed.stdout == served.body, "they differ");
    assert_eq!(world.runtime_calls(), 0);
}

#[tokio::test]
async fn refuses_the_document_without_a_credential_or_json() {
    let world = World::new().await;
    assert_eq!(
        world.anonymous().get("/openapi.json").await.code(),
        "unauthenticated"
    );
    let client = world.client("alice");
    assert_eq!(
        client
            .with_header("accept", "application/yaml")
            .get("/openapi.json")
            .await
            .code(),
        "not-acceptable"
    );
    let posted = client.post("/openapi.json").await;
    assert_eq!(
        (posted.code().as_str(), posted.header("allow")),
        ("method-not-allowed", "GET")
    );
    for path in ["/openapi", "/openapi.yaml", "/v1/openapi.json"] {
        assert_eq!(client.get(path).await.code(), "no-such-path", "{path}");
    }
}

#[test]
fn a_document_that_cannot_be_printed_is_a_failure() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let printed = Command::new(daemon())
        .arg("openapi")
        .env_clear()
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(printed.status.code(), Some(1));
    let help = Command::new(daemon())
        .args(["openapi", "--help"])
        .env_clear()
        .output()
        .unwrap();
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("GET /openapi.json")
    );
}

#[test]
fn every_call_there_is_is_described_and_no_other() {
    let described: BTreeSet<_> = operations()
        .iter()
        .map(|(template, method, _)| (*template, method.to_string()))
        .collect();
    let there: BTreeSet<_> = Route::ALL
        .iter()
        .map(|call| (call.template(), call.method().to_string()))
        .collect();
    assert_eq!(described, there);
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn describes_every_code_at_its_status_and_calls_only() {
    let mut described = BTreeSet::new();
    for (template, method, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let codes = &response["content"]["application/problem+json"]["schema"]["properties"]["code"]
                ["enum"];
            for code in codes.as_array().into_iter().flatten() {
                described.insert((
                    template,
                    method.to_string(),
                    status.clone(),
                    code.as_str().unwrap(),
                ));
            }
        }
    }
    let mut there = BTreeSet::new();
    for Listed { answer, calls, .. } in Error::ANSWERS {
        for call in *calls {
            let status = answer.status.as_str().to_owned();
            there.insert((
                call.template(),
                call.method().to_string(),
                status,
                answer.code,
            ));
        }
    }
    assert_eq!(described, there);
    let known: BTreeSet<_> =
        document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|code| code.as_str().unwrap())
            .collect();
    assert_eq!(
        known,
        Error::ANSWERS
            .iter()
            .map(|listed| listed.answer.code)
            .collect()
    );
}

/// The codes of the page's table, by status; `runtime-...` stands for all that begin so.
fn codes_for_readers() -> BTreeMap<u16, Vec<&'static str>> {
    let mut codes = BTreeMap::<_, Vec<_>>::new();
    let (_, table) = PAGE.split_once("| status | `code` | meaning |").unwrap();
    for row in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        for status in cells[1].split(", ") {
            codes
                .entry(status.parse().unwrap())
                .or_default()
                .extend(cells[2].split('`').skip(1).step_by(2));
        }
    }
    codes
}

#[test]
fn docs_list_every_code_and_no_other() {
    let told = codes_for_readers();
    let means = |told: &str, code: &str| match told.strip_suffix("...") {
        Some(beginning) => code.starts_with(beginning),
        None => told == code,
    };
    for Listed { answer, .. } in Error::ANSWERS {
        let codes = told.get(&answer.status.as_u16());
        assert!(
            codes.is_some_and(|codes| codes.iter().any(|told| means(told, answer.code))),
            "{answer:?}"
        );
    }
    for (_, codes) in told {
        for told in codes {
            assert!(
                Error::ANSWERS
                    .iter()
                    .any(|listed| means(told, listed.answer.code)),
                "{told}"
            );
        }
    }
}

#[test]
fn every_reference_resolves_and_every_component_is_used() {
    let mut references = Vec::new();
    all(document(), "$ref", &mut references);
    let used: BTreeSet<_> = references
        .iter()
        .map(|reference| reference.as_str().unwrap())
        .collect();
    let mut there = BTreeSet::new();
    for kind in ["parameters", "headers", "schemas"] {
        for name in document()["components"][kind].as_object().unwrap().keys() {
            there.insert(format!("#/components/{kind}/{name}"));
        }
    }
    assert_eq!(used, there.iter().map(String::as_str).collect());
}

#[test]
fn every_operation_has_a_name_and_a_description() {
    let mut names = BTreeSet::new();
    let tags = document()["tags"].as_array().unwrap();
    for (_, _, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphabetic());
        assert!(is_word && names.insert(name), "{name}");
        for text in ["summary", "description"] {
            let text = operation[text].as_str().unwrap();
            assert!(!text.is_empty(), "{name}");
        }
        let is_listed = tags.iter().any(|tag| tag["name"] == operation["tags"][0]);
        assert!(is_listed, "{name}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                StatusCode::from_bytes(status.as_bytes()).is_ok(),
                "{name} {status}"
            );
            let description = resolved(response)["description"].as_str().unwrap();
            assert!(!description.is_empty(), "{name} {status}");
        }
    }
}

#[test]
fn operations_have_the_parameters_of_their_paths() {
    for (template, method, operation) in operations() {
        let mut unique = BTreeSet::new();
        let mut in_path = BTreeSet::new();
        for parameter in parameters(operation) {
            let (place, name) = (&parameter["in"], parameter["name"].as_str().unwrap());
            let is_new = unique.insert((place.as_str().unwrap(), name));
            assert!(is_new, "{method} {template}: {name}");
            if place == "path" {
                in_path.insert(name);
            }
        }
        let in_template = template
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(in_path, in_template.collect(), "{method} {template}");
    }
    let parameters = &document()["components"]["parameters"];
    for parameter in parameters.as_object().unwrap().values() {
        assert_eq!(
            parameter["in"] == "path",
            parameter["required"] == true,
            "{parameter}"
        );
    }
}

#[test]
fn every_required_security_scheme_is_described() {
    let schemes = &document()["components"]["securitySchemes"];
    for needed in document()["security"].as_array().unwrap() {
        let mut names = needed.as_object().unwrap().keys();
        assert!(names.all(|name| schemes[name].is_object()), "{needed}");
    }
}

#[test]
fn every_object_of_ours_is_closed() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        assert_eq!(schema["additionalProperties"], false, "{name}");
    }
}
