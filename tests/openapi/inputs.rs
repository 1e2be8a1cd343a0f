//! Parameters and headers of requests: the gateway takes exactly those that its OpenAPI description has.

use std::collections::BTreeSet;

use gateway_core::Target;
use gateway_server::Operation;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::parameters;
use crate::support::World;
use crate::support::described::{document, validator};

fn of(call: Operation) -> &'static Value {
    &document()["paths"][call.template()][call.method().as_str().to_lowercase()]
}

#[tokio::test]
async fn a_list_takes_the_parameters_that_are_described() {
    let world = World::new().await;
    let client = world.client("alice");
    let refused = client.get("/v1/checkpoints?undescribed=1").await.detail();
    let (_, taken) = refused.split_once("must be one of ").unwrap();
    let described: BTreeSet<_> = parameters(of(Operation::List))
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    assert_eq!(taken.split(", ").collect::<BTreeSet<_>>(), described);
    for (name, value, taken) in [
        ("limit", "500", true),
        ("limit", "501", false),
        ("limit", "0", false),
        ("since", "2026-11-24T00:00:00Z", true),
        ("since", "yesterday", false),
        ("after", "01890a5d-ac96-774b-bcce-b302099a8057", true),
        ("after", "01890A5D-AC96-774B-BCCE-B302099A8057", false),
    ] {
        let parameter = parameters(of(Operation::List))
            .find(|one| one["name"] == name)
            .unwrap();
        let value = value
            .parse()
            .map_or_else(|_| json!(value), |number: u64| json!(number));
        assert_eq!(
            validator(&parameter["schema"]).is_valid(&value),
            taken,
            "{name}={value}"
        );
        let answer = client
            .get(&format!(
                "/v1/checkpoints?{name}={}",
                value.to_string().trim_matches('"')
            ))
            .await;
        assert_eq!(answer.status.is_success(), taken, "{name}={value}");
    }
}

/// Whether the document takes `name` for this parameter of the kubelet's call.
fn takes(parameter: &str, name: &str) -> bool {
    let found = parameters(of(Operation::Checkpoint))
        .find(|one| one["name"] == parameter)
        .unwrap();
    validator(&found["schema"]).is_valid(&json!(name))
}

fn agrees(name: &str) {
    for (part, target) in [
        ("namespace", Target::new(name, "p", "c")),
        ("pod", Target::new("n", name, "c")),
        ("container", Target::new("n", "p", name)),
    ] {
        assert_eq!(takes(part, name), target.is_ok(), "{part} {name:?}");
    }
}

#[test]
fn describes_the_names_that_are_accepted() {
    for length in [1, 63, 64, 253, 254] {
        agrees(&"n".repeat(length));
    }
    for name in [
        "", "-", "a-", "-a", "a.b", "a..b", ".a", "a.", "A", "a_b", "a\n", "ä", "%61",
    ] {
        agrees(name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_name_is_described_as_it_is_read(name in "[a-c.-]{0,6}|[a-zA-Z0-9._%-]{0,9}") {
        agrees(&name);
    }
}
