//! Each type of a body, once with all that it can have and once with as little as can be: neither it nor its schema may have
//! a field that the other has not. Every field is named here, so that a new one does not compile before it is.

mod inspections;

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::{
    Checkpoint, Container, Credential, CredentialKind, CredentialPlace, CredentialReport, Criu,
    Dialect, DropSummary, DumpStatistics, FileKind, HiddenField, Hold, Identity,
    InspectedContainer, Inspection, Masked, Member, Mount, OpaqueContent, OpaqueSummary, OpenFile,
    OpenSocket, Original, Place, Process, RedactionSummary, RuleSummary, RuntimeInfo, Sizes,
    SocketFamily, TraceId, Transport,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::described::{document, violations};
use inspections::{finding, inspected, inspection, open_file, open_socket, process};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// `full` has all properties of the schema of this name, `least` those that it requires, and both are as it says.
fn agrees(name: &str, full: &impl Serialize, least: &impl Serialize) {
    let schema = &document()["components"]["schemas"][name];
    let (full, least) = (json!(full), json!(least));
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(keys(&full), keys(&schema["properties"]), "{name}");
    let required = schema["required"].as_array().unwrap().iter();
    assert_eq!(
        keys(&least),
        required
            .map(|name| name.as_str().unwrap().to_owned())
            .collect(),
        "{name}"
    );
    for value in [&full, &least] {
        assert_eq!(
            violations(schema, value),
            Vec::<String>::new(),
            "{name}: {value}"
        );
    }
}

fn text() -> String {
    "text".to_owned()
}

fn texts() -> BTreeMap<String, String> {
    [(text(), text())].into()
}

fn at() -> jiff::Timestamp {
    "2026-11-25T12:00:00.5Z".parse().unwrap()
}

fn container(memory_bytes: Option<u64>) -> Container {
    Container {
        target: "shop/cart-0/app".parse().unwrap(),
        id: text(),
        sandbox_id: text(),
        pod_uid: text(),
        image: text(),
        labels: texts(),
        annotations: texts(),
        pod_labels: texts(),
        pod_annotations: texts(),
        memory_bytes,
    }
}

fn opaque() -> OpaqueSummary {
    OpaqueSummary {
        kept_bytes: 1,
        dropped_bytes: 1,
        contents: vec![OpaqueContent {
            place: text(),
            bytes: 1,
            reason: text(),
            dropped: true,
            will_not_restore: true,
        }],
        not_named: 1,
    }
}

fn summary() -> RedactionSummary {
    let masked = Masked { masks: 1, bytes: 2 };
    let places = [Place::Spec, Place::Memory, Place::Logs, Place::Files];
    RedactionSummary {
        rules: vec![RuleSummary {
            name: text(),
            places: places.map(|place| (place, masked)).into(),
        }],
        dropped: vec![DropSummary {
            name: text(),
            entry: text(),
            entries: 1,
        }],
        values_hidden: 1,
        values_too_short: 1,
        common_values: vec![text()],
        passes: 1,
        unreadable: vec![text()],
        credentials: Some(credentials()),
        opaque: opaque(),
    }
}

fn credentials() -> CredentialReport {
    CredentialReport {
        credentials: vec![credential()],
        unlisted: 1,
        authorities: 1,
    }
}

fn credential() -> Credential {
    Credential {
        kind: text(),
        product: Some(text()),
        name: Some(text()),
        copies: 1,
        places: vec![credential_place()],
        unlisted_places: 1,
        issuer: Some(text()),
        subject: Some(text()),
        expires: Some(at()),
        fingerprint: Some(text()),
    }
}

fn credential_place() -> CredentialPlace {
    CredentialPlace {
        place: Place::Memory,
        member: text(),
        process: Some(1),
        file: Some(text()),
        copies: 1,
    }
}

fn hold(reason: Option<String>) -> Hold {
    Hold {
        by: text(),
        at: at(),
        reason,
    }
}

fn original() -> Original {
    Original {
        path: "/a.age".into(),
        bytes: 1,
        sha256: "0".repeat(64),
        sealed: true,
        recipients: 1,
    }
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        schema: Checkpoint::SCHEMA,
        id: ID.parse().unwrap(),
        path: "/a.tar".into(),
        bytes: u64::MAX,
        sha256: "a".repeat(64),
        created_at: at(),
        created_by: text(),
        reason: Some(text()),
        target: "shop/cart-0/app".parse().unwrap(),
        container_id: text(),
        pod_uid: text(),
        image: text(),
        facts: container(Some(1)),
        masked: vec![text()],
        runtime: RuntimeInfo {
            name: text(),
            version: text(),
        },
        transport: Transport::Fifo,
        request_id: ID.parse().unwrap(),
        trace_id: TraceId::new([7; 16]),
        redaction: Some(summary()),
        findings: vec![finding()],
        hidden: vec![HiddenField::User],
        original: Some(original()),
        hold: Some(hold(Some(text()))),
    }
}

fn bare() -> Checkpoint {
    Checkpoint {
        reason: None,
        facts: container(None),
        masked: Vec::new(),
        transport: Transport::File,
        trace_id: None,
        redaction: None,
        findings: Vec::new(),
        hidden: Vec::new(),
        original: None,
        hold: None,
        ..checkpoint()
    }
}

#[test]
fn a_checkpoint_is_described_as_it_is() {
    let beside = |checkpoint: &Checkpoint, inspection: &Inspection| {
        let mut told = json!(checkpoint);
        told["inspection"] = json!(inspection);
        told
    };
    agrees("Checkpoint", &checkpoint(), &bare());
    let empty = Inspection::default();
    agrees(
        "InspectedCheckpoint",
        &beside(&checkpoint(), &inspection()),
        &beside(&bare(), &empty),
    );
    agrees("Container", &container(Some(1)), &container(None));
    agrees("Finding", &finding(), &finding());
    agrees("Hold", &hold(Some(text())), &hold(None));
    agrees("Original", &original(), &original());
    agrees("RedactionSummary", &summary(), &RedactionSummary::default());
    agrees(
        "CredentialReport",
        &credentials(),
        &CredentialReport::default(),
    );
    agrees("Credential", &credential(), &Credential::default());
    let least = CredentialPlace {
        process: None,
        file: None,
        ..credential_place()
    };
    agrees("CredentialPlace", &credential_place(), &least);
    agrees("OpaqueSummary", &opaque(), &OpaqueSummary::default());
    agrees("RuleSummary", &summary().rules[0], &RuleSummary::default());
    agrees(
        "DropSummary",
        &summary().dropped[0],
        &DropSummary::default(),
    );
    agrees("Masked", &Masked { masks: 1, bytes: 1 }, &Masked::default());
}

#[test]
fn what_is_in_an_archive_is_described_as_it_is() {
    agrees("Inspection", &inspection(), &Inspection::default());
    agrees(
        "InspectedContainer",
        &inspected(),
        &InspectedContainer::default(),
    );
    agrees("Criu", &inspection().criu, &Criu::default());
    agrees("Mount", &inspection().mounts[0], &Mount::default());
    agrees("Process", &process(), &Process::default());
    let statistics = DumpStatistics::default();
    agrees("DumpStatistics", &statistics, &statistics);
    let file = OpenFile::of(FileKind::Unknown);
    agrees("OpenFile", &open_file(), &file);
    let socket = OpenSocket::of(SocketFamily::Unknown);
    agrees("OpenSocket", &open_socket(), &socket);
    agrees("Sizes", &inspection().sizes, &Sizes::default());
    agrees("Member", &inspection().members[0], &Member::default());
    for dialect in [Dialect::Containerd, Dialect::CriO] {
        let of = Inspection {
            dialect: Some(dialect),
            ..Inspection::default()
        };
        agrees("Inspection", &of, &of);
    }
}

#[test]
fn an_identity_is_described_as_it_is() {
    for credential in [
        CredentialKind::BearerToken,
        CredentialKind::ClientCertificate,
    ] {
        let claims = [("sub".to_owned(), json!("alice"))].into_iter().collect();
        let identity = Identity {
            user: text(),
            groups: vec![text()],
            credential,
            issuer: text(),
            claims,
        };
        agrees("Identity", &identity, &identity);
    }
}
