//! Makes a report of the credentials that a search has found.

use std::collections::{BTreeMap, HashMap};

use gateway_core::{Credential, CredentialPlace, CredentialReport, Plan, one_line};

use crate::part::Part;
use crate::search::{About, SightingKey, Tally};

/// The most credentials, and the most places of one.
const MAX_CREDENTIALS: usize = 200;
const MAX_PLACES: usize = 10;
/// Bytes of a rule's name.
const MAX_NAME: usize = 256;

/// The report of what `found` has. `plan` names the rules, `processes` the process of each `pages-ID.img`, and `mask` hides
/// what must not stand in the name of a file.
pub(crate) fn report(
    found: &Tally,
    plan: &Plan,
    processes: &BTreeMap<u64, u64>,
    mask: impl Fn(&str) -> String,
) -> CredentialReport {
    let mut report = CredentialReport::default();
    let (sightings, unlisted) = found.sightings.all();
    report.unlisted = unlisted;
    let mut known: HashMap<u64, Credential> = HashMap::new();
    for (key, about, copies) in sightings {
        if about.is_authority {
            report.authorities = report.authorities.saturating_add(1);
            continue;
        }
        let credential = known
            .entry(key.identity)
            .or_insert_with(|| credential(about, plan));
        if credential.name.is_none() {
            credential.name = name(about, plan);
        }
        let place = place(key, copies, processes, &mask);
        credential.copies = credential.copies.saturating_add(place.copies);
        if credential.places.len() < MAX_PLACES {
            credential.places.push(place);
        } else {
            credential.unlisted_places += 1;
        }
    }
    let mut credentials: Vec<_> = known.into_values().collect();
    credentials.sort_by(|one, other| {
        let order = |credential: &Credential| {
            (
                std::cmp::Reverse(credential.copies),
                credential.kind.clone(),
                credential.name.clone(),
                credential.fingerprint.clone(),
            )
        };
        order(one).cmp(&order(other))
    });
    let left_out = credentials.drain(credentials.len().min(MAX_CREDENTIALS)..);
    report.unlisted = left_out.fold(report.unlisted, |all, credential| {
        all.saturating_add(credential.copies)
    });
    report.credentials = credentials;
    report
}

fn credential(about: &About, plan: &Plan) -> Credential {
    Credential {
        kind: about.kind.to_owned(),
        product: about.product.map(str::to_owned),
        name: name(about, plan),
        issuer: about.issuer.clone(),
        subject: about.subject.clone(),
        expires: about.expires,
        fingerprint: about.fingerprint.clone(),
        ..Credential::default()
    }
}

fn name(about: &About, plan: &Plan) -> Option<String> {
    let rule = plan.mask.get(about.named_by?)?;
    Some(one_line(&rule.name, MAX_NAME))
}

fn place(
    key: &SightingKey,
    copies: u64,
    processes: &BTreeMap<u64, u64>,
    mask: impl Fn(&str) -> String,
) -> CredentialPlace {
    let member = key.member.as_deref().unwrap_or_default();
    let process = match Part::of(member.as_bytes()) {
        Some(Part::Pages(id)) => processes.get(&id).copied(),
        Some(Part::Core(pid) | Part::AddressSpace(pid) | Part::PageMap(pid)) => Some(pid),
        _ => None,
    };
    CredentialPlace {
        place: key.place,
        member: member.to_owned(),
        process,
        file: key.file.as_deref().map(mask),
        copies,
    }
}
