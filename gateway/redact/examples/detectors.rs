//! Redacts an archive with all detectors and nothing else: `cargo run -p gateway-redact --example detectors -- IN OUT`.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use gateway_core::{DETECTORS, MaskRule, Pattern, Place, Plan};
use gateway_redact::{Redaction, redact_file};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1);
    let (input, output) = paths.next().zip(paths.next()).ok_or("name two files")?;
    let rule = |name: &str| MaskRule {
        name: name.to_owned(),
        pattern: Pattern::Detector(name.to_owned()),
        places: [Place::Spec, Place::Memory, Place::Logs, Place::Files].into(),
    };
    let redaction = Redaction {
        plan: Plan {
            mask: DETECTORS.map(rule).into(),
            ..Plan::default()
        },
        ..Redaction::default()
    };
    let mut output = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(output)?;
    let mut input = BufReader::new(File::open(input)?);
    redact_file(redaction, &mut input, &mut output, &mut tempfile::tempfile)?;
    Ok(())
}
