use std::collections::BTreeSet;
use std::convert::Infallible;

use gateway_core::{DETECTORS, MaskRule, Pattern, Place, Plan};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{EnvValue, Rules, ScanError, ScanSettings, Tally};

const EVERYWHERE: [Place; 4] = [Place::Spec, Place::Memory, Place::Logs, Place::Files];

fn plan(patterns: impl IntoIterator<Item = Pattern>) -> Plan {
    let rule = |(index, pattern)| MaskRule {
        name: format!("rule-{index}"),
        pattern,
        places: BTreeSet::from(EVERYWHERE),
    };
    Plan { mask: patterns.into_iter().enumerate().map(rule).collect(), ..Plan::default() }
}

fn rules(patterns: impl IntoIterator<Item = Pattern>) -> Rules {
    Rules::compile(&plan(patterns), &[], &ScanSettings::default()).unwrap()
}

fn regex(text: &str) -> Pattern {
    Pattern::Regex(text.to_owned())
}

fn literal(text: &[u8]) -> Pattern {
    Pattern::Literal(text.to_vec())
}

fn whole(rules: &Rules, bytes: &[u8]) -> (Vec<u8>, Tally) {
    let (mut masked, mut tally) = (bytes.to_vec(), Tally::default());
    rules.mask_whole(Place::Memory, &mut masked, &mut tally);
    (masked, tally)
}

/// In pieces of these sizes, over and over.
fn streamed(rules: &Rules, bytes: &[u8], sizes: &[usize]) -> (Vec<u8>, Tally) {
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

/// What a reader of the documentation would do by hand.
fn by_hand(bytes: &[u8], literals: &[Vec<u8>]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    for literal in literals {
        for at in 0..bytes.len() {
            if bytes[at..].starts_with(literal) {
                masked[at..at + literal.len()].fill(b'*');
            }
        }
    }
    masked
}

/// Filler without any secret, and without repeating itself soon.
fn filler(length: usize) -> Vec<u8> {
    let mut state = 7u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b" .,;!\n"[(state >> 24) as usize % 6]
    };
    (0..length).map(next).collect()
}

#[test]
fn a_match_is_hidden_at_its_own_length_and_all_else_stays() {
    assert_eq!(masked("my hunter2 is safe", [literal(b"hunter2")]), "my ******* is safe");
    assert_eq!(masked("sess_0a1b and sess_", [regex("sess_[0-9a-f]{4}")]), "********* and sess_");
    assert_eq!(masked("ab ab a", [literal(b"ab"), literal(b"a")]), "** ** *");
}

#[test]
fn overlapping_matches_hide_all_they_cover_and_every_rule_is_counted() {
    let rules = rules([literal(b"abcdef"), regex("def[0-9]+"), literal(b"zzz")]);
    let (masked, tally) = whole(&rules, b"-abcdef12-zzzz-");
    assert_eq!(masked, b"-********-****-");
    let counts: Vec<_> =
        tally.iter().map(|(rule, place, count)| (rule, place, count.masks, count.bytes)).collect();
    let memory = Place::Memory;
    assert_eq!(counts, [(0, memory, 1, 6), (1, memory, 1, 5), (2, memory, 2, 4)]);
}

#[test]
fn a_rule_looks_only_where_it_is_told_to() {
    let mut plan = plan([literal(b"secret")]);
    plan.mask[0].places = BTreeSet::from([Place::Logs]);
    let rules = Rules::compile(&plan, &[], &ScanSettings::default()).unwrap();
    assert!(rules.looks_in(Place::Logs) && !rules.looks_in(Place::Memory));
    assert_eq!(whole(&rules, b"a secret").0, b"a secret");
    assert_eq!(streamed(&rules, b"a secret", &[3]).0, b"a secret");
}

#[test]
fn an_environment_value_is_hidden_in_all_its_forms() {
    let value = EnvValue { name: "DB_PASSWORD".to_owned(), value: b"hunter2 & \"co\"".to_vec() };
    let short = EnvValue { name: "DB_PIN".to_owned(), value: b"1234".to_vec() };
    let plan = plan([Pattern::EnvValue("DB_*".to_owned())]);
    let rules = Rules::compile(&plan, &[value, short], &ScanSettings::default()).unwrap();
    assert!(rules.selects(b"DB_PIN") && !rules.selects(b"HOME"));
    for (text, wanted) in [
        ("x hunter2 & \"co\" 1234", "x ************** 1234"),
        ("hunter2%20%26%20%22co%22", "************************"),
        ("hunter2+%26+%22co%22!", "********************!"),
        (r#""hunter2 \u0026 \"co\"""#, r#""*********************""#),
        // `user:` and the value, as in an Authorization header.
        ("dXNlcjpodW50ZXIyICYgImNvIg==", "dXNlcj********************=="),
    ] {
        let (masked, _) = whole(&rules, text.as_bytes());
        assert_eq!(String::from_utf8(masked).unwrap(), wanted, "{text}");
    }
}

#[test]
fn a_long_environment_value_is_hidden_from_end_to_end() {
    let value: Vec<u8> = (0..30_000u32).flat_map(|n| format!("{n:x}").into_bytes()).collect();
    let plan = plan([Pattern::EnvValue("BIG".to_owned())]);
    let values = [EnvValue { name: "BIG".to_owned(), value: value.clone() }];
    let rules = Rules::compile(&plan, &values, &ScanSettings::default()).unwrap();
    let (masked, _) = streamed(&rules, &value, &[50_000]);
    assert!(masked.iter().all(|&byte| byte == b'*'));
}

#[test]
fn a_match_across_pieces_and_segments_is_hidden_wherever_it_lies() {
    let rules = rules([literal(b"topsecretvalue"), regex(r"\btoken=[a-z]{8,40}\b"), regex("[0-9]{8}[a-f]+")]);
    for secret in [&b"topsecretvalue"[..], b"token=abcdefghijkl", b"01234567abcdef"] {
        for at in (65_500..65_560).chain([131_070, 524_285, 530_000]) {
            let mut bytes = filler(540_000);
            bytes[at..at + secret.len()].copy_from_slice(secret);
            let (masked, tally) = streamed(&rules, &bytes, &[70_001]);
            assert_eq!(masked[at..at + secret.len()], vec![b'*'; secret.len()], "{at}");
            assert_eq!(tally.iter().map(|(_, _, count)| count.masks).sum::<u64>(), 1, "{at}");
        }
    }
}

#[test]
fn a_match_longer_than_the_bound_is_hidden_as_far_as_it_goes_on() {
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
fn a_match_whose_end_is_beyond_the_bound_is_hidden_as_far_as_it_was_seen() {
    let rules = rules([regex("(?s)BEGIN.*?END")]);
    let mut bytes = b"BEGIN".to_vec();
    bytes.extend(filler(100_000));
    bytes.extend(b"END");
    let (masked, _) = streamed(&rules, &bytes, &[10_000]);
    assert!(masked[..65_536].iter().all(|&byte| byte == b'*'));
    assert_eq!(masked[65_536..], bytes[65_536..]);
}

#[test]
fn a_text_made_to_waste_attempts_is_searched_in_linear_time() {
    let rules = rules([regex("aaaa[a-y]*Z"), regex("[a-z]+@[a-z]+Z")]);
    let mut bytes = vec![b'a'; 400_000];
    bytes.extend(b".aaaaZ.");
    let (masked, _) = streamed(&rules, &bytes, &[1 << 16]);
    assert!(masked.ends_with(b".*****."));
}

#[test]
fn what_cannot_be_carried_out_is_told_by_rule_and_without_the_secret() {
    let settings = ScanSettings { max_needles: 2, ..ScanSettings::default() };
    let refused = |patterns: Vec<Pattern>| Rules::compile(&plan(patterns), &[], &settings).unwrap_err();
    let rule = || "rule-0".to_owned();
    assert_eq!(refused(vec![regex("(s3cret")]), ScanError::Expression { rule: rule() });
    assert_eq!(refused(vec![Pattern::Detector("no-such".to_owned())]), ScanError::Detector { rule: rule() });
    assert_eq!(refused(vec![literal(b"")]), ScanError::Literal { rule: rule(), max: 4096 });
    let many = refused(vec![literal(b"aaaa"), literal(b"bbbb"), literal(b"cccc")]);
    let told = "rule `rule-2`: with it, the plan needs more than 2 literals and encoded values";
    assert_eq!(many.to_string(), told);
}

/// Expressions of many kinds: with pieces in front, inside, in branches, and with none.
const EXPRESSIONS: [&str; 12] = [
    "abc[a-d]*",
    "[ab]{2,5}cd",
    "(?i)key=[^;]{1,9}",
    "[0-9]{3}-abc",
    "a.c",
    r"\babc\b",
    "(?m)^ab+$",
    "abca|bcab|cc[abd]{3}",
    "[a-c]+d",
    "(?s)abc.*?bca",
    "(?:abc)+d?",
    r"\w+=abcd",
];

fn any_pattern() -> impl Strategy<Value = Pattern> {
    prop_oneof![
        vec(b'a'..=b'd', 1..7).prop_map(Pattern::Literal),
        vec(any::<u8>(), 1..5).prop_map(Pattern::Literal),
        (0..EXPRESSIONS.len()).prop_map(|index| regex(EXPRESSIONS[index])),
        (0..DETECTORS.len()).prop_map(|index| Pattern::Detector(DETECTORS[index].to_owned())),
    ]
}

/// A few letters, so that much matches, now and then in a sea of something else.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => vec(b'a'..=b'd', 1..60),
        1 => vec(any::<u8>(), 1..60),
        1 => Just(b"=key=KEY 123-\n".to_vec()),
        1 => (0usize..200_000).prop_map(filler),
        1 => (60_000usize..70_000).prop_map(|length| vec![0; length]),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn literals_are_hidden_as_by_hand(
        literals in vec(vec(b'a'..=b'd', 1..7), 1..8),
        pieces in vec(vec(b'a'..=b'd', 1..400), 0..9),
        sizes in vec(1usize..5000, 1..5),
    ) {
        let bytes = pieces.concat();
        let rules = rules(literals.iter().cloned().map(Pattern::Literal));
        prop_assert_eq!(&streamed(&rules, &bytes, &sizes).0, &by_hand(&bytes, &literals));
        prop_assert_eq!(&whole(&rules, &bytes).0, &by_hand(&bytes, &literals));
    }

    #[test]
    fn how_the_bytes_come_makes_no_difference(
        patterns in vec(any_pattern(), 1..8),
        bytes in any_bytes(),
        sizes in vec(1usize..200_000, 1..5),
    ) {
        let rules = rules(patterns);
        let (masked, tally) = streamed(&rules, &bytes, &sizes);
        prop_assert_eq!(masked.len(), bytes.len());
        prop_assert!((masked, tally) == whole(&rules, &bytes));
    }

    #[test]
    fn expressions_are_found_as_their_crate_finds_them(
        index in 0..EXPRESSIONS.len(),
        pieces in vec(prop_oneof![vec(b'a'..=b'd', 1..40), Just(b"=key=x; 123-abc\n".to_vec())], 0..40),
        offset in 0usize..200,
    ) {
        let mut bytes = filler(65_400 + offset);
        bytes.extend(pieces.concat());
        let search = regex_automata::meta::Regex::builder()
            .syntax(regex_automata::util::syntax::Config::new().utf8(false))
            .build(EXPRESSIONS[index])
            .unwrap();
        let mut wanted = bytes.clone();
        search.find_iter(&bytes).for_each(|found| wanted[found.range()].fill(b'*'));
        prop_assert!(whole(&rules([regex(EXPRESSIONS[index])]), &bytes).0 == wanted);
    }

    #[test]
    fn no_plan_and_no_bytes_do_any_harm(
        patterns in vec(any::<(u8, Vec<u8>, String)>(), 0..6),
        values in vec((any::<String>(), any::<Vec<u8>>()), 0..6),
        bytes in any_bytes(),
        sizes in vec(1usize..100_000, 1..5),
    ) {
        let pattern = |(kind, bytes, text): (u8, Vec<u8>, String)| match kind % 4 {
            0 => Pattern::Literal(bytes),
            1 => Pattern::Regex(text),
            2 => Pattern::EnvValue("*".to_owned()),
            _ => Pattern::Detector(DETECTORS[bytes.len() % DETECTORS.len()].to_owned()),
        };
        let values: Vec<_> = values.into_iter().map(|(name, value)| EnvValue { name, value }).collect();
        let plan = plan(patterns.into_iter().map(pattern));
        let Ok(rules) = Rules::compile(&plan, &values, &ScanSettings::default()) else { return Ok(()) };
        prop_assert_eq!(streamed(&rules, &bytes, &sizes).0.len(), bytes.len());
    }
}
