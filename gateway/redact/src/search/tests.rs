//! Tests of the search engine through its API.

use std::collections::BTreeSet;
use std::convert::Infallible;

use gateway_core::{MaskRule, Pattern, Place, Plan};

use super::{EnvValue, RuleError, Rules, SearchSettings, Tally};

const EVERYWHERE: [Place; 4] = [Place::Spec, Place::Memory, Place::Logs, Place::Files];

pub(super) fn plan(patterns: impl IntoIterator<Item = Pattern>) -> Plan {
    let rule = |(index, pattern)| MaskRule {
        name: format!("rule-{index}"),
        pattern,
        places: BTreeSet::from(EVERYWHERE),
    };
    Plan {
        mask: patterns.into_iter().enumerate().map(rule).collect(),
        ..Plan::default()
    }
}

pub(super) fn rules(patterns: impl IntoIterator<Item = Pattern>) -> Rules {
    Rules::compile(&plan(patterns), &[], &SearchSettings::default()).unwrap()
}

pub(super) fn regex(text: &str) -> Pattern {
    Pattern::Regex(text.to_owned())
}

fn literal(text: &[u8]) -> Pattern {
    Pattern::Literal(text.to_vec())
}

pub(super) fn whole(rules: &Rules, bytes: &[u8]) -> (Vec<u8>, Tally) {
    let (mut masked, mut tally) = (bytes.to_vec(), Tally::default());
    rules.mask_whole(Place::Memory, &mut masked, &mut tally);
    (masked, tally)
}

/// In pieces of these sizes, over and over.
pub(super) fn streamed(rules: &Rules, bytes: &[u8], sizes: &[usize]) -> (Vec<u8>, Tally) {
    let mut stream = rules.masker(Place::Memory);
    let mut masked = Vec::new();
    let mut out = |piece: &[u8]| -> Result<(), Infallible> {
        masked.extend_from_slice(piece);
        Ok(())
    };
    let mut rest = bytes;
    for &size in sizes.iter().cycle() {
        let (now, later) = rest.split_at(size.min(rest.len()));
        let Ok(()) = stream.push(now, &mut out);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    let Ok(()) = stream.finish(&mut out);
    let tally = stream.tally().clone();
    (masked, tally)
}

fn masked(text: &str, patterns: impl IntoIterator<Item = Pattern>) -> String {
    String::from_utf8(whole(&rules(patterns), text.as_bytes()).0).unwrap()
}

/// Filler without any secret, and without repeating itself soon.
pub(super) fn filler(length: usize) -> Vec<u8> {
    let mut state = 7u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b" .,;!\n"[(state >> 24) as usize % 6]
    };
    (0..length).map(next).collect()
}

#[test]
fn masks_a_match_at_its_own_length() {
    assert_eq!(
        masked("my hunter2 is safe", [literal(b"hunter2")]),
        "my ******* is safe"
    );
    assert_eq!(
        masked("sess_0a1b and sess_", [regex("sess_[0-9a-f]{4}")]),
        "********* and sess_"
    );
    assert_eq!(
        masked("ab ab a", [literal(b"ab"), literal(b"a")]),
        "** ** *"
    );
}

#[test]
fn masks_overlapping_matches_and_counts_every_rule() {
    let rules = rules([literal(b"abcdef"), regex("def[0-9]+"), literal(b"zzz")]);
    let (masked, tally) = whole(&rules, b"-abcdef12-zzzz-");
    assert_eq!(masked, b"-********-****-");
    let counts: Vec<_> = tally
        .iter()
        .map(|(rule, place, count)| (rule, place, count.masks, count.bytes))
        .collect();
    let memory = Place::Memory;
    assert_eq!(
        counts,
        [(0, memory, 1, 6), (1, memory, 1, 5), (2, memory, 2, 4)]
    );
}

#[test]
fn a_rule_searches_its_places_only() {
    let mut plan = plan([literal(b"secret")]);
    plan.mask[0].places = BTreeSet::from([Place::Logs]);
    let rules = Rules::compile(&plan, &[], &SearchSettings::default()).unwrap();
    assert!(rules.searches(Place::Logs) && !rules.searches(Place::Memory));
    assert_eq!(whole(&rules, b"a secret").0, b"a secret");
    assert_eq!(streamed(&rules, b"a secret", &[3]).0, b"a secret");
}

#[test]
fn masks_a_value_in_all_its_encodings() {
    let value = EnvValue {
        name: "DB_PASSWORD".to_owned(),
        value: b"hunter2 & \"co\"".to_vec(),
    };
    let short = EnvValue {
        name: "DB_PIN".to_owned(),
        value: b"1234".to_vec(),
    };
    let plan = plan([Pattern::EnvValue("DB_*".to_owned())]);
    let rules = Rules::compile(&plan, &[value, short], &SearchSettings::default()).unwrap();
    assert!(rules.selects(b"DB_PIN") && !rules.selects(b"HOME"));
    for (text, wanted) in [
        ("x hunter2 & \"co\" 1234", "x ************** 1234"),
        ("hunter2%20%26%20%22co%22", "************************"),
        ("hunter2+%26+%22co%22!", "********************!"),
        (r#""hunter2 \u0026 \"co\"""#, r#""*********************""#),
        // `user:` and the value, as in an Authorization header.
        (
            "dXNlcjpodW50ZXIyICYgImNvIg==",
            "dXNlcj********************==",
        ),
    ] {
        let (masked, _) = whole(&rules, text.as_bytes());
        assert_eq!(String::from_utf8(masked).unwrap(), wanted, "{text}");
    }
}

#[test]
fn masks_a_long_value_completely() {
    let value: Vec<u8> = (0..30_000u32)
        .flat_map(|n| format!("{n:x}").into_bytes())
        .collect();
    let plan = plan([Pattern::EnvValue("BIG".to_owned())]);
    let values = [EnvValue {
        name: "BIG".to_owned(),
        value: value.clone(),
    }];
    let rules = Rules::compile(&plan, &values, &SearchSettings::default()).unwrap();
    let (masked, _) = streamed(&rules, &value, &[50_000]);
    assert!(masked.iter().all(|&byte| byte == b'*'));
}

#[test]
fn masks_matches_across_pieces_and_segments() {
    let rules = rules([
        literal(b"topsecretvalue"),
        regex(r"\btoken=[a-z]{8,40}\b"),
        regex("[0-9]{8}[a-f]+"),
    ]);
    for secret in [
        &b"topsecretvalue"[..],
        b"token=abcdefghijkl",
        b"01234567abcdef",
    ] {
        for at in (65_500..65_560).chain([131_070, 524_285, 530_000]) {
            let mut bytes = filler(540_000);
            bytes[at..at + secret.len()].copy_from_slice(secret);
            let (masked, tally) = streamed(&rules, &bytes, &[70_001]);
            assert_eq!(
                masked[at..at + secret.len()],
                vec![b'*'; secret.len()],
                "{at}"
            );
            assert_eq!(
                tally.iter().map(|(_, _, count)| count.masks).sum::<u64>(),
                1,
                "{at}"
            );
        }
    }
}

#[test]
fn masks_a_match_longer_than_the_bound() {
    let rules = rules([regex("key=[a-z]+")]);
    let mut bytes = filler(1000);
    bytes.extend(b"key=");
    bytes.extend(vec![b'x'; 300_000]);
    bytes.extend(b". and out");
    let (masked, _) = streamed(&rules, &bytes, &[4096]);
    assert!(masked[1000..301_004].iter().all(|&byte| byte == b'*'));
    assert!(masked.ends_with(b"*. and out"));
    assert_eq!(masked, whole(&rules, &bytes).0);
}

#[test]
fn masks_a_match_up_to_the_bound() {
    let rules = rules([regex("(?s)BEGIN.*?END")]);
    let mut bytes = b"BEGIN".to_vec();
    bytes.extend(filler(100_000));
    bytes.extend(b"END");
    let (masked, _) = streamed(&rules, &bytes, &[10_000]);
    assert!(masked[..65_536].iter().all(|&byte| byte == b'*'));
    assert_eq!(masked[65_536..], bytes[65_536..]);
}

#[test]
fn searches_hostile_text_in_linear_time() {
    let rules = rules([regex("aaaa[a-y]*Z"), regex("[a-z]+@[a-z]+Z")]);
    let mut bytes = vec![b'a'; 400_000];
    bytes.extend(b".aaaaZ.");
    let (masked, _) = streamed(&rules, &bytes, &[1 << 16]);
    assert!(masked.ends_with(b".*****."));
}

#[test]
fn refuses_rules_by_name_and_without_the_secret() {
    let settings = SearchSettings {
        max_needles: 2,
        ..SearchSettings::default()
    };
    let refused =
        |patterns: Vec<Pattern>| Rules::compile(&plan(patterns), &[], &settings).unwrap_err();
    let rule = || "rule-0".to_owned();
    assert_eq!(
        refused(vec![regex("(s3cret")]),
        RuleError::Expression { rule: rule() }
    );
    assert_eq!(
        refused(vec![Pattern::Detector("no-such".to_owned())]),
        RuleError::Detector { rule: rule() }
    );
    assert_eq!(
        refused(vec![literal(b"")]),
        RuleError::Literal {
            rule: rule(),
            max: 4096
        }
    );
    let many = refused(vec![literal(b"aaaa"), literal(b"bbbb"), literal(b"cccc")]);
    let wanted = "rule `rule-2`: with it, the plan needs more than 2 literals and encoded values";
    assert_eq!(many.to_string(), wanted);
}

#[test]
fn a_masker_starts_over_after_the_end_of_a_stream() {
    let rules = rules([literal(b"secret")]);
    let mut stream = rules.masker(Place::Logs);
    let mut masked = Vec::new();
    for piece in [&b"a sec"[..], b"ret, sec"] {
        let mut out = |piece: &[u8]| -> Result<(), Infallible> {
            masked.extend_from_slice(piece);
            Ok(())
        };
        let Ok(()) = stream.push(piece, &mut out);
        let Ok(()) = stream.finish(&mut out);
    }
    let mut out = |_: &[u8]| Err("full");
    assert_eq!(
        stream
            .push(b"a secret", &mut out)
            .and_then(|()| stream.finish(&mut out)),
        Err("full")
    );
    // No match goes on from one stream to the next.
    assert_eq!(masked, b"a secret, sec");
}

#[test]
fn threads_share_a_compiled_plan() {
    let rules = rules([
        regex("sess_[0-9a-f]{4}"),
        Pattern::Detector("jwt".to_owned()),
    ]);
    let hide = || whole(&rules, b"sess_0a1b").0;
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(hide)).collect();
        for thread in all {
            assert_eq!(thread.join().unwrap(), b"*********");
        }
    });
}
