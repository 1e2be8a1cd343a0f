//! Plans that tests share, and redaction in memory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek};

use gateway_core::{MaskRule, Pattern, Place, Plan, RedactionSummary};
use gateway_redact::{Error, Redaction, redact_file};

pub(crate) fn everywhere() -> BTreeSet<Place> {
    [Place::Spec, Place::Memory, Place::Logs, Place::Files].into()
}

pub(crate) fn rule(name: &str, pattern: Pattern) -> MaskRule {
    MaskRule {
        name: name.to_owned(),
        pattern,
        places: everywhere(),
    }
}

pub(crate) fn hide_variables(glob: &str) -> Plan {
    Plan {
        mask: vec![rule("variables", Pattern::EnvValue(glob.to_owned()))],
        ..Plan::default()
    }
}

pub(crate) fn redact(
    redaction: Redaction,
    archive: &[u8],
) -> Result<(Vec<u8>, RedactionSummary), Error> {
    redact_from(redaction, &mut &*archive)
}

pub(crate) fn redact_from(
    redaction: Redaction,
    input: &mut dyn Read,
) -> Result<(Vec<u8>, RedactionSummary), Error> {
    let mut output: File = tempfile::tempfile().unwrap();
    let redacted = redact_file(redaction, input, &mut output, &mut tempfile::tempfile)?;
    let mut bytes = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut bytes).unwrap();
    Ok((bytes, redacted.summary))
}
