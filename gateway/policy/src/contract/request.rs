//! Converts a request into the contract's types.

use std::collections::BTreeMap;

use gateway_core::{Action, Archive, Container, CredentialKind, Identity, Request};

use super::types;

/// The request as policies receive it.
pub(crate) fn request(request: &Request) -> types::Request {
    types::Request {
        id: request.id.to_string(),
        action: action(request.action),
        identity: identity(&request.identity),
        target: container(&request.target),
        archive: request.archive.as_ref().map(archive),
        latest: request.latest.as_ref().map(archive),
        reason: request.reason.clone(),
        timeout_seconds: request.timeout_seconds,
        source_address: request.source_address.to_string(),
        received_at: millis(request.received_at.as_millisecond()),
        headers: pairs(&request.headers),
    }
}

fn action(action: Action) -> types::Action {
    match action {
        Action::Create => types::Action::Create,
        Action::List => types::Action::List,
        Action::Inspect => types::Action::Inspect,
        Action::Download => types::Action::Download,
        Action::DownloadOriginal => types::Action::DownloadOriginal,
        Action::Hold => types::Action::Hold,
        Action::Delete => types::Action::Delete,
    }
}

fn identity(identity: &Identity) -> types::Identity {
    types::Identity {
        user: identity.user.clone(),
        groups: identity.groups.clone(),
        credential: match identity.credential {
            CredentialKind::BearerToken => types::Credential::BearerToken,
            CredentialKind::ClientCertificate => types::Credential::ClientCertificate,
        },
        issuer: identity.issuer.clone(),
        claims: serde_json::Value::Object(identity.claims.clone()).to_string(),
    }
}

fn container(container: &Container) -> types::Container {
    types::Container {
        namespace: container.target.namespace().to_owned(),
        pod: container.target.pod().to_owned(),
        name: container.target.container().to_owned(),
        id: container.id.clone(),
        pod_uid: container.pod_uid.clone(),
        image: container.image.clone(),
        labels: pairs(&container.labels),
        annotations: pairs(&container.annotations),
        pod_labels: pairs(&container.pod_labels),
        pod_annotations: pairs(&container.pod_annotations),
    }
}

fn archive(archive: &Archive) -> types::Archive {
    types::Archive {
        id: archive.id.to_string(),
        created_by: archive.created_by.clone(),
        created_at: millis(archive.created_at.as_millisecond()),
        bytes: archive.bytes,
    }
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A time before 1970 becomes 0: the contract cannot express it.
fn millis(since_epoch: i64) -> u64 {
    u64::try_from(since_epoch).unwrap_or_default()
}
