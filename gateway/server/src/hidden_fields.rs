use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use gateway_core::{Checkpoint, HiddenField, Verdict};

use crate::audit_records::shorten;

/// The fields of a request that a redaction plan keeps out of traces, logs and the audit log: its own plan, once there is
/// one, and that of the checkpoint that it is about. Shared by all that tells of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hidden(Arc<RwLock<BTreeSet<HiddenField>>>);

impl Hidden {
    /// From now on these are hidden, too.
    pub(crate) fn add(&self, fields: impl IntoIterator<Item = HiddenField>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(fields);
    }

    /// The request is about this checkpoint: what its own plan hid of its maker and its container is hidden, too. All else
    /// was told of the request that made it, and of no other.
    pub(crate) fn add_of(&self, checkpoint: &Checkpoint) {
        let of_container = checkpoint
            .hidden
            .iter()
            .filter(|field| field.is_of_container());
        self.add(
            of_container
                .cloned()
                .chain(creator(checkpoint, HiddenField::ArchiveCreator)),
        );
    }

    /// Policies are told of this checkpoint as the container's latest.
    pub(crate) fn add_of_latest(&self, checkpoint: &Checkpoint) {
        self.add(creator(checkpoint, HiddenField::LatestCreator));
    }

    /// Which fields, for the record.
    pub(crate) fn fields(&self) -> Vec<HiddenField> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    /// `value`, unless it is the value of a hidden `field`.
    pub(crate) fn show<T>(&self, field: &HiddenField, value: T) -> Option<T> {
        let hidden = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(field);
        (!hidden).then_some(value)
    }

    /// What policies said, without their own words where anything is hidden: those may tell it.
    pub(crate) fn verdicts(&self, mut verdicts: Vec<Verdict>) -> Vec<Verdict> {
        if !self.fields().is_empty() {
            verdicts.iter_mut().for_each(shorten);
        }
        verdicts
    }
}

/// `field`, which shows who took `checkpoint`, where that is hidden.
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
    fn what_is_hidden_is_not_shown_and_the_rest_is() {
        let hidden = Hidden::default();
        assert_eq!(
            hidden.show(&HiddenField::User, 1),
            Some(1),
            "there is no plan yet"
        );
        hidden.clone().add([HiddenField::Reason, HiddenField::User]);
        hidden.add([HiddenField::Reason]);
        assert_eq!(
            (
                hidden.show(&HiddenField::User, 1),
                hidden.show(&HiddenField::Headers, 2)
            ),
            (None, Some(2))
        );
        assert_eq!(hidden.fields(), [HiddenField::User, HiddenField::Reason]);
    }
}
