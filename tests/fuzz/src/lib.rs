//! The code that all fuzz targets share.

use std::io::{Seek, SeekFrom};

use gateway_core::{DropRule, MaskRule, Pattern, Place, Plan};
use gateway_redact::{EnvValue, Redaction, redact_file, verify};

/// A plan with a rule of each kind, in all places.
pub fn redaction() -> Redaction {
    let places = [Place::Spec, Place::Memory, Place::Logs, Place::Files];
    let rule = |pattern| MaskRule {
        name: "rule".to_owned(),
        pattern,
        places: places.into(),
    };
    let plan = Plan {
        mask: vec![
            rule(Pattern::Literal(b"open-sesame".to_vec())),
            rule(Pattern::EnvValue("*KEY*".to_owned())),
            rule(Pattern::Regex("sess_[0-9a-f]{8,32}".to_owned())),
            rule(Pattern::Detector("jwt".to_owned())),
            rule(Pattern::Detector("credit-card".to_owned())),
        ],
        drop: vec![DropRule {
            name: "log".to_owned(),
            entry: "dump.log".to_owned(),
        }],
        hide: Vec::new(),
    };
    let values = vec![EnvValue {
        name: "API_KEY".to_owned(),
        value: b"hunter2hunter2".to_vec(),
    }];
    Redaction {
        plan,
        values,
        ..Redaction::default()
    }
}

/// Redacts `archive` and verifies the output, if there is no error.
pub fn redact(mut archive: &[u8]) {
    let Ok(mut out) = tempfile::tempfile() else {
        return;
    };
    if redact_file(redaction(), &mut archive, &mut out, &mut tempfile::tempfile).is_err() {
        return;
    }
    let rewound = out.seek(SeekFrom::Start(0));
    assert!(
        rewound.is_ok() && verify(&mut out, None).is_ok(),
        "the redacted output is not a valid archive"
    );
}

/// A tar with these members.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, contents) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(contents.len() as u64);
        header.set_mode(0o600);
        builder
            .append_data(&mut header, name, *contents)
            .expect("a tar in memory");
    }
    builder.into_inner().expect("a tar in memory")
}
