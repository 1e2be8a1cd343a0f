//! Measures a detector on a corpus of secrets and of texts that only look like secrets.

use std::collections::BTreeSet;

use gateway_core::{MaskRule, Pattern, Place, Plan, TELLING_NAMES};

use super::detect::example::{Numbers, of_token};
use super::detect::tables;
use super::{RuleError, Rules, SearchSettings, Tally};

/// The byte that overwrites what is found.
const MASK: u8 = b'*';

/// A text, and which of its bytes are secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub(super) bytes: Vec<u8>,
    secret: Vec<bool>,
}

/// A detector's part of a corpus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Corpus {
    /// Texts with secrets that the detector must find.
    pub positives: Vec<Sample>,
    /// Texts in which it must find nothing.
    pub negatives: Vec<Sample>,
}

/// What a detector found in its part of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The number of texts with secrets.
    pub positives: usize,
    /// Those of which exactly the secret was found.
    pub found: usize,
    /// The number of texts without.
    pub negatives: usize,
    /// Those in which something was found.
    pub false_alarms: usize,
}

/// A line of a corpus that is not as it should be, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0} has an escape that is none of \\n, \\r, \\0, \\\\ and \\xHH")]
pub struct BadEscape(pub usize);

impl Sample {
    /// Reads one sample a line: `«` and `»` stand around a secret; `·` is left out; `\n`, `\r`, `\0`, `\\` and `\x00` are as in
    /// Rust.
    ///
    /// # Errors
    /// [`BadEscape`] names the first line with another escape.
    pub fn lines(text: &str) -> Result<Vec<Self>, BadEscape> {
        let lines = text.lines().enumerate();
        lines
            .map(|(index, line)| Self::line(line).ok_or(BadEscape(index + 1)))
            .collect()
    }

    fn line(line: &str) -> Option<Self> {
        let mut sample = Self {
            bytes: Vec::new(),
            secret: Vec::new(),
        };
        let mut inside = false;
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '«' | '»' => inside = c == '«',
                '·' => {}
                '\\' => sample.bytes.push(escaped(&mut chars)?),
                _ => sample.bytes.extend(c.to_string().bytes()),
            }
            sample.secret.resize(sample.bytes.len(), inside);
        }
        Some(sample)
    }

    /// The sample as it should be after masking.
    pub(super) fn wanted(&self) -> Vec<u8> {
        let bytes = self.bytes.iter().zip(&self.secret);
        bytes
            .map(|(&byte, &secret)| if secret { MASK } else { byte })
            .collect()
    }
}

impl Corpus {
    /// The part of the detector of this name. `shared` are texts in which no detector may find anything. Of a table of tokens
    /// an example of each kind is added to the positives.
    ///
    /// # Errors
    /// [`BadEscape`]
    pub fn new(
        detector: &str,
        positives: &str,
        negatives: &str,
        shared: &str,
    ) -> Result<Self, BadEscape> {
        let mut numbers = Numbers::new(23);
        let mut positives = Sample::lines(positives)?;
        positives.extend(tables(detector).iter().map(|token| {
            let token = of_token(token, token.body.0, &mut numbers);
            Sample {
                secret: [vec![false; 4], vec![true; token.len()], vec![false]].concat(),
                bytes: [b"KEY=", token.as_slice(), b"\n"].concat(),
            }
        }));
        let mut negatives = Sample::lines(negatives)?;
        // They are texts, and no environments.
        if detector != TELLING_NAMES {
            negatives.extend(Sample::lines(shared)?);
        }
        Ok(Self {
            positives,
            negatives,
        })
    }

    /// Lets the detector of this name search every sample, as in a file.
    ///
    /// # Errors
    /// [`RuleError::Detector`]: there is none of this name.
    pub fn measure(&self, detector: &str) -> Result<Figures, RuleError> {
        let rules = alone(detector)?;
        let found = |sample: &&Sample| masked(&rules, &sample.bytes) == sample.wanted();
        let alarms = |sample: &&Sample| masked(&rules, &sample.bytes) != sample.bytes;
        Ok(Figures {
            positives: self.positives.len(),
            found: self.positives.iter().filter(found).count(),
            negatives: self.negatives.len(),
            false_alarms: self.negatives.iter().filter(alarms).count(),
        })
    }
}

impl Figures {
    /// The part of the secrets that was found, in whole percents, rounded down.
    pub fn recall(&self) -> usize {
        percents(self.found, self.positives)
    }

    /// The part of what was found that is secret, in whole percents, rounded down.
    pub fn precision(&self) -> usize {
        percents(self.found, self.found + self.false_alarms)
    }
}

fn percents(part: usize, whole: usize) -> usize {
    (100 * part).checked_div(whole).unwrap_or_default()
}

fn escaped(chars: &mut std::str::Chars<'_>) -> Option<u8> {
    Some(match chars.next()? {
        'n' => b'\n',
        'r' => b'\r',
        '0' => 0,
        '\\' => b'\\',
        'x' => u8::from_str_radix(&chars.by_ref().take(2).collect::<String>(), 16).ok()?,
        _ => return None,
    })
}

/// A plan with this detector alone.
pub(super) fn alone(detector: &str) -> Result<Rules, RuleError> {
    let rule = MaskRule {
        name: detector.to_owned(),
        pattern: Pattern::Detector(detector.to_owned()),
        places: BTreeSet::from([Place::Files]),
    };
    let plan = Plan {
        mask: vec![rule],
        ..Plan::default()
    };
    Rules::compile(&plan, &[], &SearchSettings::default())
}

/// `bytes` after masking; of `NAME=value` the value if a rule selects variables of that name.
pub(super) fn masked(rules: &Rules, bytes: &[u8]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    let equals = bytes.iter().position(|&byte| byte == b'=');
    if let Some((name, value)) = equals.and_then(|equals| masked.split_at_mut_checked(equals))
        && rules.selects(name)
    {
        value.iter_mut().skip(1).for_each(|byte| *byte = MASK);
    }
    rules.mask_whole(Place::Files, &mut masked, &mut Tally::default());
    masked
}
