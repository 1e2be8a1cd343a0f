//! Prints the credentials in an archive as text.

use gateway_core::{Credential, CredentialPlace};
use gateway_redact::Audit;
use indicatif::BinaryBytes;

use super::revoke::Revocation;
use super::row::MAX_LINE;
use crate::output::print;
use crate::printable::printable;
use crate::style::{BOLD, styled};
use crate::table::{Table, or_dash, plain};

/// The most places of one credential that are printed; JSON has more.
const MAX_PLACES: usize = 5;

/// Prints all of it.
pub(super) fn audit(name: &str, audit: &Audit, revoke: &[Revocation]) {
    let report = &audit.report;
    let count = report.credentials.len();
    print(format_args!(
        "{}: {}",
        styled(BOLD, &printable(name, MAX_LINE)),
        match count {
            0 => "nothing that looks like a credential".to_owned(),
            1 => "1 credential".to_owned(),
            many => format!("{many} credentials"),
        }
    ));
    if count > 0 {
        heading("Credentials");
        credentials(&report.credentials);
    }
    if report.unlisted > 0 {
        print(format_args!(
            "  {} copies of further ones are not listed",
            report.unlisted
        ));
    }
    if report.authorities > 0 {
        print(format_args!(
            "  {} certificates of authorities, which are public, are not listed",
            report.authorities
        ));
    }
    if count > 0 {
        heading("Places");
        report.credentials.iter().for_each(places);
        heading("To revoke if somebody has read the archive");
        revocations(revoke);
    }
    not_looked_at(audit);
}

fn heading(heading: &str) {
    print(format_args!("\n{}", styled(BOLD, heading)));
}

fn credentials(all: &[Credential]) {
    let headings = [
        "KIND",
        "NAME",
        "COPIES",
        "EXPIRES",
        "SUBJECT OR ISSUER",
        "FINGERPRINT",
    ];
    let mut table = Table::new(headings).indented(2).right_aligned(&[2]);
    for credential in all {
        let about = credential.subject.as_ref().or(credential.issuer.as_ref());
        let short = credential
            .fingerprint
            .as_deref()
            .and_then(|it| it.get(..16));
        table.row([
            plain(&credential.kind),
            or_dash(credential.name.as_ref().or(credential.product.as_ref())),
            plain(credential.copies.to_string()),
            or_dash(credential.expires.map(|expires| expires.to_string())),
            or_dash(about),
            or_dash(short),
        ]);
    }
    table.finish();
}

fn places(credential: &Credential) {
    let name = credential.name.as_ref().or(credential.product.as_ref());
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    print(format_args!(
        "  {}",
        printable(&format!("{}{name}", credential.kind), MAX_LINE)
    ));
    for place in credential.places.iter().take(MAX_PLACES) {
        print(format_args!(
            "    {}",
            printable(&in_words(place), MAX_LINE)
        ));
    }
    let others = credential.places.len().saturating_sub(MAX_PLACES) as u64;
    let others = others.saturating_add(credential.unlisted_places);
    if others > 0 {
        print(format_args!("    and {others} other places"));
    }
}

fn in_words(place: &CredentialPlace) -> String {
    let CredentialPlace {
        member,
        process,
        file,
        copies,
        ..
    } = place;
    let file = file.as_ref().map(|file| format!(": {file}"));
    let process = process.map(|pid| format!(" (process {pid})"));
    let (file, process) = (file.unwrap_or_default(), process.unwrap_or_default());
    format!("{copies:>4} in {member}{file}{process}")
}

fn revocations(all: &[Revocation]) {
    let headings = ["KIND", "VALID", "EXPIRED", "ISSUER"];
    let mut table = Table::new(headings).indented(2).right_aligned(&[1, 2]);
    for group in all {
        table.row_up_to(
            MAX_LINE,
            [
                plain(&group.kind),
                plain(group.credentials.to_string()),
                plain(group.expired.to_string()),
                plain(&group.issuer),
            ],
        );
    }
    table.finish();
}

fn not_looked_at(audit: &Audit) {
    let left = &audit.not_looked_at;
    if left.contents.is_empty() && left.not_named == 0 {
        return;
    }
    heading("Not looked at");
    for content in &left.contents {
        let line = format!(
            "{}, {}: {}",
            content.place,
            BinaryBytes(content.bytes),
            content.reason
        );
        print(format_args!("  {}", printable(&line, MAX_LINE)));
    }
    if left.not_named > 0 {
        print(format_args!("  and {} others", left.not_named));
    }
}
