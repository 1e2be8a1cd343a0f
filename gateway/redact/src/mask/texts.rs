//! Masks texts about a container, such as labels and a caller's reason, by detectors and by what a redaction knows.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use gateway_core::{MaskRule, Pattern, Place, Plan};

use super::json_string;
use super::known_values::{KnownValues, Wanted};
use super::plan_check::compile_plan;
use super::settings::RedactionSettings;
use crate::Error;
use crate::search::{EVERY_DETECTOR, EnvValue, Rules, SearchSettings};

/// Longer texts are not searched but replaced, in bytes. Kubernetes allows this much for all annotations of an object.
pub(super) const TEXT_MAX: usize = 256 << 10;

/// A plan that was checked and compiled. Requests with the same plan share it.
#[derive(Debug)]
pub struct CompiledPlan {
    plan: Plan,
    settings: RedactionSettings,
    rules: Arc<Rules>,
}

impl CompiledPlan {
    /// Checks and compiles `plan`.
    ///
    /// # Errors
    /// As [`check_plan`](crate::check_plan).
    pub fn new(plan: Plan, settings: RedactionSettings) -> Result<Self, Error> {
        let rules = Arc::new(compile_plan(&plan, &settings)?);
        Ok(Self {
            plan,
            settings,
            rules,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// Masks texts about a container. At first it knows the detectors, all of them; it may learn a plan and values, which it
/// gives to nobody. Clones share what is learnt. No length changes. A text over 256 KiB is hidden whole.
#[derive(Clone)]
pub struct TextMasker(Arc<RwLock<Known>>);

/// What is hidden besides the detectors' matches.
struct Known {
    mask: u8,
    /// The plan's own patterns.
    plan: Option<Arc<Rules>>,
    values: Option<Arc<Rules>>,
    /// Whether nothing can be told apart: every text is hidden.
    everything: bool,
    /// The number of values behind `values`.
    count: usize,
    /// Maskers whose texts are hidden here, too.
    others: Vec<TextMasker>,
}

impl TextMasker {
    /// A masker that knows the detectors and overwrites with `mask`, which must be ASCII.
    pub fn new(mask: u8) -> Self {
        Self(Arc::new(RwLock::new(Known {
            mask,
            plan: None,
            values: None,
            everything: false,
            count: 0,
            others: Vec::new(),
        })))
    }

    /// Compiles the detectors, so that the first text does not wait for it.
    pub fn prepare() {
        LazyLock::force(&EVERY_DETECTOR);
    }

    /// Learns the patterns of `plan`, and those of `values` that it selects.
    ///
    /// # Errors
    /// [`Error::BadRule`] if there are too many values to search for.
    pub fn learn(&self, plan: &CompiledPlan, values: &[EnvValue]) -> Result<(), Error> {
        let CompiledPlan {
            plan,
            settings,
            rules,
        } = plan;
        let mut known = KnownValues::new(plan, settings);
        for value in values {
            if rules.selects(value.name.as_bytes()) {
                known.learn(rules, &value.name, &value.value)?;
            } else {
                known
                    .names()
                    .add_variable(value.name.as_bytes(), &value.value);
            }
        }
        self.set_plan(Arc::clone(rules));
        self.set_values(&known.wanted(), &settings.search())
    }

    /// Hides what `other` hides, too, now and later.
    pub fn join(&self, other: Self) {
        self.write(|known| known.others.push(other));
    }

    /// `text` with what must be hidden overwritten; `None` where nothing must be.
    pub fn mask(&self, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        if text.len() > TEXT_MAX {
            return Some(self.replacement(text));
        }
        let hidden = self.hidden(text.as_bytes());
        let mask = char::from(self.read(|known| known.mask));
        let mut changed = false;
        let shown = text.char_indices().flat_map(|(at, character)| {
            let length = character.len_utf8();
            let bytes = hidden.get(at..at + length).unwrap_or_default();
            // A character is hidden whole, so that the text stays UTF-8.
            let hides = bytes.contains(&true);
            changed |= hides && character != mask;
            let (character, times) = if hides {
                (mask, length)
            } else {
                (character, 1)
            };
            std::iter::repeat_n(character, times)
        });
        let shown: String = shown.collect();
        changed.then_some(shown)
    }

    /// `text` as it may be shown.
    pub fn shown(&self, text: &str) -> String {
        self.mask(text).unwrap_or_else(|| text.to_owned())
    }

    /// What stands in place of a text that was not searched.
    pub(super) fn replacement(&self, text: &str) -> String {
        let mask = char::from(self.read(|known| known.mask));
        std::iter::repeat_n(mask, text.len()).collect()
    }

    /// Replaces the plan's patterns.
    pub(super) fn set_plan(&self, rules: Arc<Rules>) {
        self.write(|known| known.plan = Some(rules));
    }

    /// Replaces the values by a longer list of them.
    pub(super) fn set_values(
        &self,
        values: &Wanted,
        settings: &SearchSettings,
    ) -> Result<(), Error> {
        let Wanted { everywhere, named } = values;
        let count = everywhere.len().saturating_add(named.len());
        if count != self.read(|known| known.count) {
            let rules = Rules::compile_with(&all_values(), everywhere, named, settings)?;
            let rules = Arc::new(rules);
            self.write(|known| (known.values, known.count) = (Some(rules), count));
        }
        Ok(())
    }

    /// Hides every text from here on.
    pub(super) fn hide_everything(&self) {
        self.write(|known| known.everything = true);
    }

    /// Which of the bytes must be hidden: in the text as it is written, and as it reads where it has escapes.
    fn hidden(&self, text: &[u8]) -> Vec<bool> {
        let mut hidden = vec![false; text.len()];
        let mut hide = |span: Range<usize>| {
            if let Some(bytes) = hidden.get_mut(span) {
                bytes.fill(true);
            }
        };
        self.spans(text).into_iter().for_each(&mut hide);
        if text.contains(&b'\\') {
            let spans = self.spans(&json_string::decode(text));
            let mut at = 0;
            for character in json_string::characters(text) {
                let part = at..at + character.text.len();
                at = part.end;
                if spans
                    .iter()
                    .any(|span| span.start < part.end && part.start < span.end)
                {
                    hide(character.raw);
                }
            }
        }
        hidden
    }

    fn spans(&self, text: &[u8]) -> Vec<Range<usize>> {
        let (rules, others) = self.read(|known| {
            let rules = [known.plan.clone(), known.values.clone()];
            (rules, known.others.clone())
        });
        let everything = self.read(|known| known.everything);
        let Some(detectors) = EVERY_DETECTOR.as_ref().filter(|_| !everything) else {
            return std::iter::once(0..text.len()).collect();
        };
        let mut spans = detectors.find(text);
        for rules in rules.iter().flatten() {
            spans.extend(rules.find(text));
        }
        for other in others {
            spans.extend(other.spans(text));
        }
        spans
    }

    // A panic in another thread leaves a value whole: each write sets one field.
    fn read<T>(&self, read: impl FnOnce(&Known) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, write: impl FnOnce(&mut Known)) {
        write(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Default for TextMasker {
    fn default() -> Self {
        Self::new(b'*')
    }
}

/// Two maskers are the same if they share what they learn.
impl PartialEq for TextMasker {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TextMasker {}

impl fmt::Debug for TextMasker {
    /// Without what it knows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextMasker").finish_non_exhaustive()
    }
}

/// A plan that searches files for all values that are given.
fn all_values() -> Plan {
    let rule = MaskRule {
        name: "value".to_owned(),
        pattern: Pattern::EnvValue("*".to_owned()),
        places: BTreeSet::from([Place::Files]),
    };
    Plan {
        mask: vec![rule],
        ..Plan::default()
    }
}
