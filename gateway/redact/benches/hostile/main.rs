//! The cost of hostile archives: `cargo bench -p gateway-redact --bench hostile -- [NAME...]`, those with a NAME in theirs.
//!
//! Each archive is made, then redacted in a process of its own with what both shipped redactors ask for. It may take 2 s of one
//! processor for 100 MB looked at, 10 s where most comes out of xz or bzip2, and 96 MiB of memory. Looked at are the archive's own
//! bytes and what its members unpack to, once each, up to the bound where that is over it; however often they are read. An archive
//! may be refused. The findings pass reads each archive, too, and has a bound of its own: 2 s for 100 MB of the archive. Exits with
//! 1 where a bound is exceeded. Formats for which this machine has no packer (`zstd`, `xz`, `bzip2`, `lz4`) are passed over.

mod bytes;
mod images;
mod makers;
mod members;
mod packed;
mod texts;

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

use gateway_core::{DETECTORS, MaskRule, Pattern, Place, Plan};
use gateway_redact::{EnvValue, Redaction, Redactor, findings, redact_file};

type Failure = Box<dyn std::error::Error>;

/// Names the archive that this process is to redact.
const ARCHIVE: &str = "HOSTILE_ARCHIVE";
const SECONDS_PER_100_MB: f64 = 2.0;
const SLOW_FORMATS: f64 = 10.0;
const MEMORY_KIB: u64 = 96 << 10;
/// A larger archive is not written anew.
const LARGE: u64 = 1 << 30;

/// A kind of archive.
struct Case {
    name: &'static str,
    seconds: f64,
    make: fn(&mut dyn Write) -> io::Result<Unpacked>,
}

/// Bytes that are looked at beside the archive's own.
struct Unpacked(u64);

impl Case {
    const fn new(name: &'static str, make: fn(&mut dyn Write) -> io::Result<Unpacked>) -> Self {
        let seconds = SECONDS_PER_100_MB;
        Self {
            name,
            seconds,
            make,
        }
    }

    const fn slow(name: &'static str, make: fn(&mut dyn Write) -> io::Result<Unpacked>) -> Self {
        let seconds = SLOW_FORMATS;
        Self {
            name,
            seconds,
            make,
        }
    }
}

fn main() -> Result<ExitCode, Failure> {
    if let Some(archive) = std::env::var_os(ARCHIVE) {
        measure(Path::new(&archive))?;
        return Ok(ExitCode::SUCCESS);
    }
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let home = tempfile::tempdir()?;
    let mut exceeded = false;
    let cases = [members::CASES, packed::CASES, images::CASES, texts::CASES];
    for case in cases.into_iter().flatten() {
        if wanted.is_empty() || wanted.iter().any(|name| case.name.contains(name.as_str())) {
            exceeded |= run(case, &home.path().join("archive"))?;
        }
    }
    Ok(ExitCode::from(u8::from(exceeded)))
}

/// Returns whether a bound was exceeded.
fn run(case: &Case, path: &Path) -> Result<bool, Failure> {
    let mut out = BufWriter::with_capacity(1 << 20, Sparse(File::create(path)?));
    let Unpacked(unpacked) = match (case.make)(&mut out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            say(&format!("{:34} passed over: {error}", case.name))?;
            return Ok(false);
        }
        made => made?,
    };
    out.flush()?;
    out.get_ref().end()?;
    let own = std::fs::metadata(path)?.len();
    let done = Command::new("timeout")
        .arg("300")
        .arg(std::env::current_exe()?)
        .env(ARCHIVE, path)
        .output()?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let mut words = said.splitn(4, ' ');
    let mut number = || words.next().and_then(|word| word.parse::<f64>().ok());
    let (Some(redacting), Some(finding), Some(kib)) = (number(), number(), number()) else {
        say(&format!(
            "{:34} FAILED: {}{}",
            case.name,
            said,
            String::from_utf8_lossy(&done.stderr)
        ))?;
        return Ok(true);
    };
    let of_redaction = redacting / hundreds(own.saturating_add(unpacked));
    let of_findings = finding / hundreds(own);
    let too_slow = of_redaction > case.seconds || of_findings > SECONDS_PER_100_MB;
    let too_large = kib > f64::from(u32::try_from(MEMORY_KIB)?);
    let mark = match (too_slow, too_large) {
        (false, false) => "",
        (true, false) => "TOO SLOW ",
        (false, true) => "TOO LARGE ",
        (true, true) => "TOO SLOW, TOO LARGE ",
    };
    say(&format!(
        "{:34} {of_redaction:6.2} s/100 MB of {:6.0} MB, archive {:5.0} MB; findings {of_findings:5.2}; {:3.0} MiB; {mark}{}",
        case.name,
        hundreds(own.saturating_add(unpacked)) * 100.0,
        hundreds(own) * 100.0,
        kib / 1024.0,
        words.next().unwrap_or_default(),
    ))?;
    Ok(too_slow || too_large)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for the eye")]
fn hundreds(bytes: u64) -> f64 {
    bytes as f64 / 1e8
}

fn say(line: &str) -> io::Result<()> {
    io::stdout().write_all(format!("{}\n", line.trim_end()).as_bytes())
}

/// Redacts the archive and lists its findings; prints the seconds of both, the peak of memory in KiB, and how it ended.
fn measure(path: &Path) -> Result<(), Failure> {
    let mut archive = File::open(path)?;
    let mut out = tempfile::tempfile()?;
    let began = seconds()?;
    if archive.metadata()?.len() > LARGE {
        return measure_pass(&mut archive);
    }
    let ended = match redact_file(redaction(), &mut archive, &mut out, &mut tempfile::tempfile) {
        Ok(redacted) => {
            let masks = redacted.summary.rules.iter();
            let masks: u64 = masks
                .flat_map(|rule| rule.places.values().map(|masked| masked.masks))
                .sum();
            format!(
                "{} passes, {masks} masks, {} opaque",
                redacted.summary.passes,
                redacted.summary.opaque.contents.len()
            )
        }
        Err(error) => error.to_string(),
    };
    let redacted = seconds()?;
    archive.rewind()?;
    let listed = match findings(&mut archive, None) {
        Ok(found) => format!("{} findings", found.len()),
        Err(error) => error.to_string(),
    };
    let found = seconds()?;
    let line = format!(
        "{:.4} {:.4} {} {ended}; {listed}",
        redacted - began,
        found - redacted,
        resident()?
    );
    io::stdout().write_all(line.as_bytes())?;
    Ok(())
}

/// One pass over an archive for which there may be no space twice.
fn measure_pass(archive: &mut File) -> Result<(), Failure> {
    let mut redactor = Redactor::new(redaction())?;
    let again = redactor.pass(archive, &mut io::sink(), &mut tempfile::tempfile)?;
    let text = format!(
        "{:.4} 0 {} one pass, again: {again}",
        seconds()?,
        resident()?
    );
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// What redact-secrets and redact-environment plan by default.
fn redaction() -> Redaction {
    let secrets = DETECTORS
        .into_iter()
        .filter(|name| *name != "telling-names");
    let names = secrets.chain(["telling-names", "basic-auth-url", "connection-string"]);
    let rules = names.map(|name| MaskRule {
        name: name.to_owned(),
        pattern: Pattern::Detector(name.to_owned()),
        places: [Place::Spec, Place::Memory, Place::Logs, Place::Files].into(),
    });
    Redaction {
        plan: Plan {
            mask: rules.collect(),
            ..Plan::default()
        },
        values: vec![EnvValue {
            name: "API_KEY".to_owned(),
            value: bytes::VALUE.to_vec(),
        }],
        ..Redaction::default()
    }
}

/// Processor time of this process, from the kernel's scheduler.
fn seconds() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: u64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(std::time::Duration::from_nanos(nanoseconds).as_secs_f64())
}

/// The peak of resident memory, in KiB.
fn resident() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line
        .unwrap_or_default()
        .trim_end_matches("kB")
        .trim()
        .parse()?)
}

/// A file in which long runs of zeros take no space.
struct Sparse(File);

impl Sparse {
    /// Gives the file its length, if it ends with zeros.
    fn end(&self) -> io::Result<()> {
        let end = (&self.0).stream_position()?;
        self.0.set_len(end)
    }
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() < 1 << 16 || bytes.iter().any(|byte| *byte != 0) {
            return self.0.write(bytes);
        }
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.0.seek(io::SeekFrom::Current(length))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
