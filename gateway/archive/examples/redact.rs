//! Measures redaction and sealing of a whole checkpoint against its digest alone.
//!
//! `cargo run --release -p gateway-archive --example redact -- DIRECTORY [MiB] [ROUNDS] [none|drop|mask|full]
//! [no|sealed|plaintext]`: a runtime hands over a checkpoint of mostly clean memory through a FIFO; it is redacted, hashed
//! and published, and its original is kept as asked. Prints the time until the runtime was done and until all was published,
//! as ratios to the digest alone of the same bytes, and the peak resident memory.

#[path = "shared/info.rs"]
mod info;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use gateway_archive::{KeepOriginal, Recipients, Settings, Store};
use gateway_core::{DETECTORS, DropRule, MaskRule, Pattern, Place, Plan, Transport};
use gateway_redact::{EnvValue, Redaction};

type Failure = Box<dyn std::error::Error>;

const MIB: usize = 1 << 20;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let home = PathBuf::from(arguments.next().ok_or("name a directory to work in")?);
    let mib: usize = arguments.next().map_or(Ok(1024), |text| text.parse())?;
    let rounds: u128 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let redaction = redaction(arguments.next().as_deref())?;
    let original = original(arguments.next().as_deref())?;
    let (store, _) = Store::open(Settings {
        original,
        ..Settings::new(home.join("store"))
    })?;
    let block = block();
    for round in 0..rounds {
        let digest = digest(&block, mib);
        let begun = Instant::now();
        let info = info::info(round)?;
        let intake = store
            .intake(
                store.reserve(&info.target, None)?,
                info.id,
                Transport::Fifo,
                redaction.clone(),
            )
            .await?;
        let (location, pages) = (intake.location().to_owned(), block.clone());
        tokio::task::spawn_blocking(move || write(&location, &pages, mib)).await??;
        let writer = begun.elapsed();
        let checkpoint = intake.publish(info).await?;
        let whole = begun.elapsed();
        let line = format!(
            "{mib} MiB: digest alone {:.3} s; writer {:.2}, published {:.2} times that; {:.2} GB/s; resident at most {}\n",
            digest.as_secs_f64(),
            writer.div_duration_f64(digest),
            whole.div_duration_f64(digest),
            Duration::from_nanos((mib * MIB) as u64).div_duration_f64(writer),
            resident()?,
        );
        io::stdout().write_all(line.as_bytes())?;
        store.delete(checkpoint.id)?;
    }
    Ok(())
}

fn redaction(what: Option<&str>) -> Result<Option<Redaction>, Failure> {
    let places = [Place::Spec, Place::Memory, Place::Logs, Place::Files].into();
    let drop = DropRule {
        name: "log".to_owned(),
        entry: "container.log".to_owned(),
    };
    let mask = MaskRule {
        name: "env".to_owned(),
        pattern: Pattern::EnvValue("*KEY".to_owned()),
        places,
    };
    let plan = match what.unwrap_or("mask") {
        "none" => return Ok(None),
        "drop" => Plan {
            drop: vec![drop],
            ..Plan::default()
        },
        "mask" => Plan {
            mask: vec![mask],
            drop: vec![drop],
            ..Plan::default()
        },
        "full" => Plan {
            mask: full(&mask),
            drop: vec![drop],
            ..Plan::default()
        },
        _ => return Err("none, drop, mask or full".into()),
    };
    let values = vec![EnvValue {
        name: "API_KEY".to_owned(),
        value: b"correct-horse-battery-staple".to_vec(),
    }];
    Ok(Some(Redaction {
        plan,
        values,
        ..Redaction::default()
    }))
}

/// The rule, and 64 literals, 12 expressions and 10 detectors besides.
fn full(rule: &MaskRule) -> Vec<MaskRule> {
    let literals =
        (0..64).map(|at| Pattern::Literal(format!("literal-{at}-{}", at * 7919).into_bytes()));
    let expressions = (0..12).map(|at| Pattern::Regex(format!("key{at}_[0-9a-f]{{32}}")));
    let detectors = DETECTORS.into_iter().filter(|name| *name != "credit-card");
    let detectors = detectors.map(|name| Pattern::Detector(name.to_owned()));
    let patterns = std::iter::once(rule.pattern.clone())
        .chain(literals)
        .chain(expressions)
        .chain(detectors);
    let named = |(at, pattern)| MaskRule {
        name: format!("rule {at}"),
        pattern,
        ..rule.clone()
    };
    patterns.enumerate().map(named).collect()
}

fn original(what: Option<&str>) -> Result<KeepOriginal, Failure> {
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    match what.unwrap_or("no") {
        "no" => Ok(KeepOriginal::No),
        "sealed" => Ok(KeepOriginal::Sealed(Recipients::parse(&[recipient])?)),
        "plaintext" => Ok(KeepOriginal::Plaintext),
        _ => Err("no, sealed or plaintext".into()),
    }
}

/// Half noise, half zeros, as memory often is.
fn block() -> Vec<u8> {
    let mut state = 1u64;
    let noise = (0..MIB / 16).flat_map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()
    });
    let mut block: Vec<u8> = noise.collect();
    block.resize(MIB, 0);
    block
}

fn write(location: &Path, block: &[u8], mib: usize) -> io::Result<()> {
    let mut file = std::fs::File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(location)?;
    file.write_all(header("checkpoint/pages-1.img", (mib * MIB) as u64).as_bytes())?;
    for piece in std::iter::repeat_n(block, mib).flat_map(|block| block.chunks(32 << 10)) {
        file.write_all(piece)?;
    }
    file.write_all(header("container.log", 0).as_bytes())?;
    file.write_all(&[0; 1024])
}

fn header(name: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    // Never fails: the names are short.
    let _ = header.set_path(name);
    header.set_size(size);
    header.set_cksum();
    header
}

fn digest(block: &[u8], mib: usize) -> Duration {
    let begun = Instant::now();
    let mut context = Context::new(&SHA256);
    std::iter::repeat_n(block, mib).for_each(|block| context.update(block));
    std::hint::black_box(context.finish());
    begun.elapsed()
}

/// The peak resident memory (`VmHWM` of `/proc/self/status`).
fn resident() -> io::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(most.unwrap_or_default().trim().to_owned())
}
