//! The fields of a request that stay out of logs, traces and audit records, and the masker of those that do not.

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway_core::{Checkpoint, Decision, HiddenField, Verdict};
use gateway_redact::TextMasker;
use parking_lot::RwLock;

use crate::record_size::remove_words;

/// The hidden fields of one request: those of its own plan, once there is one, and those of the checkpoint that it is about.
/// Clones share the fields, and the masker of the other texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct HiddenFields {
    fields: Arc<RwLock<BTreeSet<HiddenField>>>,
    texts: TextMasker,
}

impl HiddenFields {
    /// No hidden fields, and a masker that overwrites with `mask`.
    pub(crate) fn new(mask: u8) -> Self {
        Self {
            fields: Arc::default(),
            texts: TextMasker::new(mask),
        }
    }

    /// The masker of all texts about the request that are shown. It learns what the request's redaction learns.
    pub(crate) fn texts(&self) -> &TextMasker {
        &self.texts
    }

    /// Hides these fields from now on.
    pub(crate) fn add(&self, fields: impl IntoIterator<Item = HiddenField>) {
        self.fields.write().extend(fields);
    }

    /// Hides what the plan of `checkpoint` hid of its creator and its container, since the request is about it. The other
    /// fields belong to the request that created it, and to no other.
    pub(crate) fn add_of(&self, checkpoint: &Checkpoint) {
        let of_container = checkpoint
            .hidden
            .iter()
            .filter(|field| field.is_of_container());
        let creator = creator(checkpoint, HiddenField::ArchiveCreator);
        self.add(of_container.cloned().chain(creator));
    }

    /// Hides the creator of `checkpoint`, where its plan did. Policies get it as the container's newest checkpoint.
    pub(crate) fn add_of_latest(&self, checkpoint: &Checkpoint) {
        self.add(creator(checkpoint, HiddenField::LatestCreator));
    }

    /// All hidden fields, in order.
    pub(crate) fn to_vec(&self) -> Vec<HiddenField> {
        self.fields.read().iter().cloned().collect()
    }
}

/// `verdicts` without the policies' own words where something is `hidden`: the words may repeat it. Other words are masked.
pub(crate) fn visible_verdicts(
    mut verdicts: Vec<Verdict>,
    hidden: &[HiddenField],
    texts: &TextMasker,
) -> Vec<Verdict> {
    if hidden.is_empty() {
        let words = verdicts.iter_mut().flat_map(words);
        words.for_each(|text| *text = texts.shown(text));
    } else {
        verdicts.iter_mut().for_each(remove_words);
    }
    verdicts
}

/// A policy's own words: the values of its annotations and the message of its denial.
fn words(verdict: &mut Verdict) -> impl Iterator<Item = &mut String> {
    let message = match &mut verdict.decision {
        Decision::Deny(denial) => Some(&mut denial.message),
        Decision::Allow | Decision::Abstain => None,
    };
    verdict.annotations.values_mut().chain(message)
}

/// `field`, which shows the creator of `checkpoint`, where that is hidden.
fn creator(checkpoint: &Checkpoint, field: HiddenField) -> Option<HiddenField> {
    checkpoint
        .hidden
        .contains(&HiddenField::User)
        .then_some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_fields() {
        let hidden = HiddenFields::default();
        hidden.clone().add([HiddenField::Reason, HiddenField::User]);
        hidden.add([HiddenField::Reason]);
        assert_eq!(hidden.to_vec(), [HiddenField::User, HiddenField::Reason]);
    }

    #[test]
    fn removes_policies_words_where_a_field_is_hidden() {
        let mut verdict = Verdict::of("p", Decision::Allow);
        let annotation = ("user".to_owned(), "alice".to_owned());
        verdict.annotations.extend([annotation]);
        let texts = TextMasker::default();
        let shown = visible_verdicts(vec![verdict.clone()], &[], &texts);
        assert_eq!(shown, [verdict.clone()]);
        let shown = visible_verdicts(vec![verdict], &[HiddenField::User], &texts);
        assert!(shown[0].annotations.is_empty());
    }
}
