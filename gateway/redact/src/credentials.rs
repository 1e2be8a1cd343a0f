//! Lists the credentials in an archive, without a value of one.
//!
//! The archive goes through the same search as a redaction, with all detectors and the values of variables whose names suggest
//! secrets; the output is thrown away. So whatever redaction can look into is looked into here.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek};

use gateway_core::{
    CredentialReport, DETECTORS, MaskRule, OpaqueRule, Pattern, Place, Plan, TELLING_NAMES,
};

use crate::Error;
use crate::inspect::spec_environment;
use crate::mask::{NotLookedAt, Redaction, RedactionSettings, Redactor};
use crate::scratch::Scratch;
use crate::search::{
    CERTIFICATE, CERTIFICATE_EXPRESSIONS, CredentialSettings, EnvValue, Fingerprint, Rules,
    SearchSettings,
};

/// The most variables that get a rule, and so a name in the report, of their own.
const MAX_NAMED: usize = 64;

/// What an archive has that looks secret, and what was not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// The credentials.
    pub report: CredentialReport,
    /// Contents that were not looked at to their end.
    pub not_looked_at: NotLookedAt,
}

/// Looks for credentials in `archive`, from its beginning.
///
/// # Errors
/// [`Error::BadTar`] and [`Error::Truncated`] if it is not a whole tar archive; [`Error::Reading`] and [`Error::Scratch`].
pub fn audit(
    archive: &mut (impl Read + Seek),
    scratch: &mut dyn Scratch,
    fingerprint: Option<Fingerprint>,
) -> Result<Audit, Error> {
    let values = spec_environment(archive)?;
    let plan = plan(&values)?;
    let settings = RedactionSettings {
        opaque: OpaqueRule::Keep,
        looks_only: true,
        credentials: Some(CredentialSettings::for_audit(fingerprint)),
        ..RedactionSettings::default()
    };
    let mut redactor = Redactor::new(Redaction {
        plan,
        values,
        settings,
        ..Redaction::default()
    })?;
    loop {
        archive.rewind().map_err(Error::Reading)?;
        redactor.forget_matches();
        match redactor.pass(archive, &mut io::sink(), scratch) {
            Ok(true) => {}
            // Values that one pass learns are searched for by the next; what is found after that is in the report, too.
            Ok(false) | Err(Error::NotSettled { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(Audit {
        report: redactor.summary()?.credentials.unwrap_or_default(),
        not_looked_at: redactor.not_looked_at(),
    })
}

/// A rule for each variable whose name suggests a secret, one for those of the processes, and one for each detector.
fn plan(values: &[EnvValue]) -> Result<Plan, Error> {
    let everywhere = [Place::Spec, Place::Memory, Place::Logs, Place::Files];
    let rule = |name: &str, pattern: Pattern| MaskRule {
        name: name.to_owned(),
        pattern,
        places: everywhere.into(),
    };
    let others = rule(
        "other variables",
        Pattern::Detector(TELLING_NAMES.to_owned()),
    );
    let telling = Plan {
        mask: vec![others.clone()],
        ..Plan::default()
    };
    let telling = Rules::compile(&telling, &[], &SearchSettings::default())?;
    let names: BTreeSet<_> = values.iter().map(|value| value.name.as_str()).collect();
    let own = names
        .into_iter()
        .filter(|name| telling.selects(name.as_bytes()) && is_plain(name))
        .take(MAX_NAMED)
        .map(|name| rule(name, Pattern::EnvValue(name.to_owned())));
    let mut mask: Vec<_> = own.collect();
    mask.push(others);
    let detectors = DETECTORS.into_iter().filter(|name| *name != TELLING_NAMES);
    mask.extend(detectors.map(|name| rule(name, Pattern::Detector(name.to_owned()))));
    for expression in CERTIFICATE_EXPRESSIONS {
        mask.push(rule(CERTIFICATE, Pattern::Regex(expression.to_owned())));
    }
    Ok(Plan {
        mask,
        ..Plan::default()
    })
}

/// Whether a glob of this text matches nothing but the text.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    name.bytes().all(plain)
}
