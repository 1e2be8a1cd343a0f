//! Throughput of the search engine, in relation to SHA-256 over the same bytes: `cargo bench -p gateway-redact --bench scan`.
//!
//! Both are measured in turns, so that a busy machine slows both; figures of criterion follow. The plan has 64 literals, 12
//! expressions and all detectors but `credit-card`, and then more; at the end comes what the shipped redactors ask for, on memory
//! without secrets, which must be searched at least 2.5 times as fast as it is hashed. `memory.rs` makes up the memory. `hostile.rs`
//! lists the texts that cost the most. What a whole checkpoint costs, sealed and on a disk, `gateway/archive/examples/redact.rs`
//! measures.

mod engine;
mod hostile;
mod memory;

use std::collections::BTreeSet;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use aho_corasick::{AhoCorasick, AhoCorasickKind, packed};
use aws_lc_rs::digest::{Context, SHA256};
use criterion::{Criterion, Throughput};
use engine::Engine;
use gateway_core::{DETECTORS, MaskRule, Pattern, Place, Plan};
use gateway_redact::EnvValue;
use memory::{KINDS, Numbers, memory};

type Failure = Box<dyn std::error::Error>;

const MIB: usize = 128;
const PIECE: usize = 1 << 20;
const ROUNDS: usize = 7;
/// The number of detectors.
const ALL: usize = DETECTORS.len();

/// Each has a piece of three or more known bytes.
const EXPRESSIONS: [&str; 12] = [
    "sess_[0-9a-f]{32}",
    r"(?i)authorization:\s*bearer\s+[A-Za-z0-9._~+/-]+=*",
    r#"(?i)password["']?\s*[:=]\s*["']?[^\s"']{6,64}"#,
    "npm_[A-Za-z0-9]{36}",
    "glpat-[A-Za-z0-9_-]{20}",
    "[sr]k_live_[0-9a-zA-Z]{24,99}",
    r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    r"hvs\.[A-Za-z0-9_-]{24,128}",
    "order-[0-9]{8}-[0-9a-f]{4}",
    "AGE-SECRET-KEY-1[0-9A-Z]{58}",
    r"(?i)x-api-key:[^\r\n]+",
    r"[0-9a-f]{8}-cardholder-[0-9a-f]{8}",
];

/// These have none.
const BARE: [&str; 3] = [
    "[0-9a-f]{40}",
    r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
    r"[A-Za-z0-9._%+-]+@shop\.internal",
];

fn main() -> Result<(), Failure> {
    // `cargo bench -p gateway-redact --bench scan -- hostile 100` measures the hostile texts alone, and lists 100 of them.
    let mut arguments = std::env::args()
        .skip_while(|word| word != "hostile")
        .skip(1);
    if std::env::args().any(|word| word == "hostile") {
        let listed = arguments.next().and_then(|word| word.parse().ok());
        return hostile::measure(&in_files()?, listed.unwrap_or(10));
    }
    let secrets = literals();
    let memory = memory(MIB, None, &secrets)?;
    let plan = |detectors: usize, expressions: &[&str]| plan(&secrets, expressions, detectors);
    let usual = Engine::new(&plan(ALL - 1, &EXPRESSIONS), &[])?;
    say(
        "64 literals, 12 expressions, all detectors but credit-card",
        &ratios(&usual, &memory),
    )?;
    say(
        "the same and credit-card",
        &ratios(&Engine::new(&plan(ALL, &EXPRESSIONS), &[])?, &memory),
    )?;
    for bare in BARE {
        let expressions: Vec<&str> = EXPRESSIONS.into_iter().chain([bare]).collect();
        let engine = Engine::new(&plan(ALL - 1, &expressions), &[])?;
        say(&format!("the same and `{bare}`"), &ratios(&engine, &memory))?;
    }
    say(
        "the same and 32 environment values",
        &ratios(&with_values(&secrets)?, &memory),
    )?;
    let clean = self::memory(MIB, None, &[])?;
    let plan_of_all = shipped(Place::Memory);
    let shipped = Engine::new(&plan_of_all, &values())?;
    say(
        "all that the shipped redactors ask for, and 32 learnt values, on clean memory",
        &ratios(&shipped, &clean),
    )?;
    say(
        "the same without AVX-512",
        &ratios(&Engine::narrow(&plan_of_all, &values())?, &clean),
    )?;
    for kind in KINDS {
        say(
            &format!("the same on {kind}"),
            &ratios(&shipped, &self::memory(MIB / 2, Some(kind), &[])?),
        )?;
    }
    for kind in KINDS {
        say(
            kind,
            &ratios(&usual, &self::memory(MIB / 2, Some(kind), &[])?),
        )?;
    }
    hostile::measure(&in_files()?, 10)?;
    alternatives(&secrets, &memory)?;
    figures(&usual, &memory);
    Ok(())
}

/// The cost of the same 64 literals with other matchers, for comparison with the filter.
fn alternatives(literals: &[String], memory: &[u8]) -> Result<(), Failure> {
    let packed = packed::Config::new()
        .builder()
        .extend(literals)
        .build()
        .ok_or("no packed searcher")?;
    let automaton = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .build(literals)?;
    let ours = Engine::new(&plan(literals, &[], 0), &[])?;
    let expressions = literals.iter().map(|literal| regex_syntax::escape(literal));
    let expression = regex_automata::meta::Regex::new(&expressions.collect::<Vec<_>>().join("|"))?;
    let compared: [(&str, &dyn Fn() -> u64); 4] = [
        ("the filter", &|| {
            ours.stream(memory.chunks(PIECE), |piece| _ = black_box(piece))
        }),
        ("aho-corasick, packed (Teddy)", &|| {
            packed.find_iter(memory).count() as u64
        }),
        ("aho-corasick, DFA", &|| {
            automaton.find_iter(memory).count() as u64
        }),
        ("one expression of regex-automata", &|| {
            expression.find_iter(memory).count() as u64
        }),
    ];
    for (what, search) in compared {
        let (took, found) = took(search);
        #[expect(clippy::cast_precision_loss, reason = "a figure for the eye")]
        let speed = memory.len() as f64 / took.as_secs_f64() / 1e9;
        let line = format!("64 literals alone with {what}: {speed:.2} GB/s, {found} found\n");
        io::stdout().write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Tokens, and words that people choose.
fn literals() -> Vec<String> {
    let mut numbers = Numbers::new();
    let one = |index: usize| match index % 4 {
        0 => numbers.text(b"0123456789abcdef", 32),
        1 => numbers.text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            24,
        ),
        2 => format!(
            "{}-{}-{index}",
            numbers.text(b"aeioustrnl", 7),
            numbers.text(b"aeioustrnl", 6)
        ),
        _ => format!("{}!{index}", numbers.text(b"abcdefghijklmnopqrstuvwxyz", 9)),
    };
    (0..64).map(one).collect()
}

fn plan(literals: &[String], expressions: &[&str], detectors: usize) -> Plan {
    let literals = literals
        .iter()
        .map(|text| Pattern::Literal(text.clone().into_bytes()));
    let expressions = expressions
        .iter()
        .map(|text| Pattern::Regex((*text).to_owned()));
    let mut named = DETECTORS.to_vec();
    named.sort_by_key(|&name| name == "credit-card");
    let detectors = named
        .into_iter()
        .take(detectors)
        .map(|name| Pattern::Detector(name.to_owned()));
    let patterns = literals
        .chain(expressions)
        .chain(detectors)
        .chain([Pattern::EnvValue("*".to_owned())]);
    let rule = |(index, pattern)| MaskRule {
        name: format!("rule {index}"),
        pattern,
        places: BTreeSet::from([Place::Memory]),
    };
    Plan {
        mask: patterns.enumerate().map(rule).collect(),
        ..Plan::default()
    }
}

/// The default plans of redact-secrets and redact-environment.
fn shipped(place: Place) -> Plan {
    let detectors = DETECTORS.into_iter();
    let rules = detectors.map(|name| MaskRule {
        name: name.to_owned(),
        pattern: Pattern::Detector(name.to_owned()),
        places: BTreeSet::from([place]),
    });
    Plan {
        mask: rules.collect(),
        ..Plan::default()
    }
}

/// The same plans and the values of 32 variables, for files, where detectors take most.
fn in_files() -> Result<Engine, Failure> {
    let place = Place::Files;
    Ok(Engine::of(&shipped(place), &values(), place)?)
}

/// The values of 32 variables.
fn values() -> Vec<EnvValue> {
    let mut numbers = Numbers::new();
    let values = (0..32u32).map(|index| EnvValue {
        name: format!("SECRET_{index}"),
        value: numbers
            .text(b"abcdefghijklmnopqrstuvwxyz0123456789!$&/ ", 20)
            .into_bytes(),
    });
    values.collect()
}

fn with_values(literals: &[String]) -> Result<Engine, Failure> {
    Ok(Engine::new(
        &plan(literals, &EXPRESSIONS, ALL - 1),
        &values(),
    )?)
}

/// Times of one round on one thread: hashing alone, redacting alone, and hashing the redacted bytes.
struct Round {
    hash: Duration,
    redact: Duration,
    both: Duration,
    masks: u64,
}

struct Ratios {
    rounds: Vec<Round>,
    bytes: usize,
}

fn ratios(engine: &Engine, memory: &[u8]) -> Ratios {
    Ratios {
        rounds: (0..ROUNDS).map(|_| round(engine, memory)).collect(),
        bytes: memory.len(),
    }
}

fn round(engine: &Engine, memory: &[u8]) -> Round {
    let (hash, ()) = took(|| {
        let mut context = Context::new(&SHA256);
        memory.chunks(PIECE).for_each(|piece| context.update(piece));
        black_box(context.finish());
    });
    let (redact, masks) =
        took(|| engine.stream(memory.chunks(PIECE), |piece| _ = black_box(piece)));
    let (both, ()) = took(|| {
        let mut context = Context::new(&SHA256);
        engine.stream(memory.chunks(PIECE), |piece| context.update(piece));
        black_box(context.finish());
    });
    Round {
        hash,
        redact,
        both,
        masks,
    }
}

fn took<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

/// The middle of all rounds.
fn say(what: &str, ratios: &Ratios) -> io::Result<()> {
    let median = |of: &dyn Fn(&Round) -> f64| {
        let mut all: Vec<f64> = ratios.rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    #[expect(clippy::cast_precision_loss, reason = "a figure for the eye")]
    let bytes = ratios.bytes as f64;
    let speed = |took: Duration| bytes / took.as_secs_f64() / 1e9;
    let line = format!(
        "{what}: SHA-256 {:.2} GB/s; redacting {:.2} GB/s, {:.2} of SHA-256's time; both {:.2} of it; {} masks\n",
        median(&|round| speed(round.hash)),
        median(&|round| speed(round.redact)),
        median(&|round| round.redact.div_duration_f64(round.hash)),
        median(&|round| round.both.div_duration_f64(round.hash)),
        ratios.rounds.first().map_or(0, |round| round.masks),
    );
    io::stdout().write_all(line.as_bytes())
}

fn figures(engine: &Engine, memory: &[u8]) {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(memory.len() as u64));
    group.bench_function("stream", |bencher| {
        bencher.iter(|| engine.stream(memory.chunks(PIECE), |piece| _ = black_box(piece)));
    });
    let mut copy = memory.to_vec();
    group.bench_function("whole", |bencher| bencher.iter(|| engine.whole(&mut copy)));
    group.finish();
    criterion.final_summary();
}
