//! Texts that are made to waste time: the slowest of them bounds what a workload can do to its own checkpoint.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use gateway_redact::search::hostile_texts;

use crate::engine::Engine;
use crate::memory::Numbers;
use crate::{Failure, PIECE, took};

/// All are measured with so many bytes, and the slowest ones again with more.
const FIRST: usize = 1 << 15;
const AGAIN: usize = 1 << 21;
const ROUNDS: usize = 3;
/// Texts of pieces of others, which are chosen at random.
const MIXTURES: usize = 2000;
const PIECES: u64 = 4;

/// Texts that were measured by hand before.
const KNOWN: [&str; 12] = [
    "ImFsZyI6",
    "ImFsZyI6.",
    "eyJhbGciOiJIUzI1NiJ9.",
    "-----BEGIN PRIVATE KEY-----",
    "s://a:b",
    "s://a:b@",
    "x-api-key:",
    "4111111111111112 ",
    "password=",
    "password=\"password='password=\\\"password=\\'",
    "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t",
    "host=a;password=b,",
];

/// Prints the slowest texts, in relation to SHA-256 over the same bytes.
pub(crate) fn measure(engine: &Engine, listed: usize) -> Result<(), Failure> {
    let mut units: Vec<Vec<u8>> = hostile_texts().into_iter().map(|text| text.unit).collect();
    units.extend(KNOWN.map(|unit| unit.as_bytes().to_vec()));
    units.push(indented());
    units.extend(mixtures(&units));
    let mut measured: Vec<(f64, &[u8])> = units
        .iter()
        .map(|unit| (ratio(engine, unit, FIRST, 1), unit.as_slice()))
        .collect();
    measured.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    measured.truncate(2 * listed);
    for (ratio, unit) in &mut measured {
        *ratio = self::ratio(engine, unit, AGAIN, ROUNDS);
    }
    measured.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let greatest = measured.first().map_or(f64::NAN, |(ratio, _)| *ratio);
    let mut text = format!(
        "{} hostile texts: at most {greatest:.1} of SHA-256's time\n",
        units.len()
    );
    for (ratio, unit) in measured.iter().take(listed) {
        let shown = unit.get(..unit.len().min(100)).unwrap_or_default();
        writeln!(
            text,
            "{ratio:8.1} {} bytes: {}",
            unit.len(),
            shown.escape_ascii()
        )?;
    }
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// The time of redacting a text of this unit, in relation to hashing it: the least of some rounds, since a busy machine
/// only adds to it.
fn ratio(engine: &Engine, unit: &[u8], length: usize, rounds: usize) -> f64 {
    let text = unit.repeat((length / unit.len().max(1)).max(1));
    let least = |work: &dyn Fn()| {
        let times = (0..rounds).map(|_| took(work).0);
        times.min().unwrap_or_default()
    };
    let redact = least(&|| _ = engine.stream(text.chunks(PIECE), |piece| _ = black_box(piece)));
    let hash = least(&|| _ = black_box(digest(&SHA256, &text)));
    redact.div_duration_f64(hash)
}

/// Blocks of YAML, each within the one before.
fn indented() -> Vec<u8> {
    let lines = (0..200).map(|indent| format!("{}password: |\n", " ".repeat(indent)));
    lines.collect::<String>().into_bytes()
}

fn mixtures(units: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut numbers = Numbers::new();
    let mut mixture = || -> Vec<u8> {
        let pieces = (0..2 + numbers.below(PIECES - 1)).filter_map(|_| {
            let index = numbers.below(units.len() as u64);
            units.get(usize::try_from(index).ok()?)
        });
        pieces
            .flat_map(|piece| piece.iter().take(400))
            .copied()
            .collect()
    };
    (0..MIXTURES).map(|_| mixture()).collect()
}
