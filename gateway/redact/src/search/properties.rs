//! Properties that hold for any plan, any bytes and any pieces.

use gateway_core::{DETECTORS, Pattern};
use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{filler, plan, regex, rules, streamed, whole};
use super::{EnvValue, Rules, SearchSettings};

/// Masks literals in the simplest way.
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

/// Expressions with pieces in front, inside, in branches, and with none.
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

/// A few letters, so that much matches, and long stretches of other bytes.
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
    fn literals_are_masked_as_by_hand(
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
    fn pieces_make_no_difference(
        patterns in vec(any_pattern(), 1..8),
        bytes in any_bytes(),
        // Long pieces are searched in place, short ones are copied.
        sizes in vec(prop_oneof![1usize..5000, 1usize..200_000, 190_000usize..700_000], 1..5),
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
    fn any_plan_and_any_bytes_are_harmless(
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
        let Ok(rules) = Rules::compile(&plan, &values, &SearchSettings::default()) else { return Ok(()) };
        prop_assert_eq!(streamed(&rules, &bytes, &sizes).0.len(), bytes.len());
    }
}
