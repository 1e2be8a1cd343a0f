//! Values that cannot be told from ordinary text are masked where their variables stand, and named in the summary.

use gateway_core::RedactionSummary;
use gateway_redact::{CommonValues, EnvValue, Redaction, RedactionSettings};

use crate::plans::{hide_variables, redact};
use crate::specimen::read_tar;
use crate::support::{member, tar_of};

const SPEC: &str = r#"{"process":{"args":["/usr/bin/cartd","--verbose"],"env":["PATH=/bin","REGION=frankfurt",
    "S_DRIVER=postgres","S_TTL=86400000","S_DIR=/var/lib/cart","S_POD=cart-blue-0","S_CMD=cartd-","S_NAME=frankfurt",
    "S_URL=postgres://cart:Gx7%2FRt2-Kp@db:5432/cart","S_PIN=1234"]},"hostname":"cart-blue-0"}"#;

fn run(common_values: CommonValues, log: &str) -> (String, RedactionSummary) {
    let archive = tar_of(&[
        ("spec.dump", tar::EntryType::Regular, SPEC.as_bytes()),
        ("container.log", tar::EntryType::Regular, log.as_bytes()),
    ]);
    let redaction = Redaction {
        plan: hide_variables("S_*"),
        settings: RedactionSettings {
            common_values,
            ..RedactionSettings::default()
        },
        ..Redaction::default()
    };
    let (redacted, summary) = redact(redaction, &archive).unwrap();
    let members = read_tar(&redacted);
    let spec = String::from_utf8(member(&members, "spec.dump")).unwrap();
    for hidden in [
        "S_DRIVER=********\"",
        "S_TTL=********\"",
        "S_DIR=*************\"",
        "S_PIN=****\"",
    ] {
        assert!(spec.contains(hidden), "{spec}");
    }
    (
        String::from_utf8(member(&members, "container.log")).unwrap(),
        summary,
    )
}

#[test]
fn common_values_are_hidden_behind_their_names() {
    let log = "driver postgres, S_DRIVER=postgres X_S_DRIVER=postgres\nexport S_TTL='86400000' in /var/lib/cart/data\n\
        cart-blue-0 frankfurt S_NAME=frankfurt S_PIN=1234 S_PIN=12345 1234\n";
    let wanted = "driver postgres, S_DRIVER=******** X_S_DRIVER=postgres\nexport S_TTL='********' in /var/lib/cart/data\n\
        cart-blue-0 frankfurt S_NAME=********* S_PIN=**** S_PIN=12345 1234\n";
    let (log, summary) = run(CommonValues::Variable, log);
    assert_eq!(log, wanted);
    let names = ["S_DIR", "S_DRIVER", "S_NAME", "S_POD", "S_TTL"];
    assert_eq!(summary.common_values, names);
    assert_eq!((summary.values_hidden, summary.values_too_short), (2, 1));
}

#[test]
fn common_values_are_hidden_everywhere_on_demand() {
    let (log, summary) = run(
        CommonValues::Everywhere,
        "driver postgres, 86400000 in /var/lib/cart/data; 1234",
    );
    assert_eq!(log, "driver ********, ******** in *************/data; 1234");
    assert_eq!(summary.common_values, [""; 0]);
    assert_eq!(summary.values_hidden, 7);
}

#[test]
fn the_credential_of_a_url_is_a_value_of_its_own() {
    let log = "user cart, password Gx7/Rt2-Kp, escaped Gx7%2fRt2-Kp, at db:5432; postgres://cart@db:5432/cart";
    let (log, _) = run(CommonValues::Variable, log);
    assert_eq!(
        log,
        "user cart, password **********, escaped ************, at db:5432; postgres://cart@db:5432/cart"
    );
}

#[test]
fn names_of_the_container_are_common_values() {
    let value = |name: &str, value: &str| EnvValue {
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
    };
    let archive = tar_of(&[(
        "container.log",
        tar::EntryType::Regular,
        b"pod checkout-7d9f8b6c5-x2x4z, hunter2x",
    )]);
    let redaction = Redaction {
        plan: hide_variables("S_*"),
        values: vec![
            value("S_POD", "checkout-7d9f8b6c5-x2x4z"),
            value("S_KEY", "hunter2x"),
            value("COPY", "hunter2x"),
        ],
        names: vec!["checkout-7d9f8b6c5-x2x4z".to_owned()],
        ..Redaction::default()
    };
    let (redacted, summary) = redact(redaction, &archive).unwrap();
    let log = member(&read_tar(&redacted), "container.log");
    assert_eq!(
        String::from_utf8(log).unwrap(),
        "pod checkout-7d9f8b6c5-x2x4z, ********"
    );
    assert_eq!(summary.common_values, ["S_POD"]);
}
