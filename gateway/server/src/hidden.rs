use std::sync::{Arc, OnceLock};

/// The fields of a request that its redaction plan keeps out of traces, logs and the audit log. None until there is a plan;
/// shared by all that tells of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hidden(Arc<OnceLock<Vec<String>>>);

impl Hidden {
    /// The plan is made. What was said first holds.
    pub(crate) fn set(&self, mut fields: Vec<String>) {
        fields.sort();
        fields.dedup();
        let _ = self.0.set(fields);
    }

    /// Which fields, for the record.
    pub(crate) fn fields(&self) -> Vec<String> {
        self.0.get().cloned().unwrap_or_default()
    }

    /// `value`, unless it is the value of a hidden `field`.
    pub(crate) fn show<T>(&self, field: &str, value: T) -> Option<T> {
        let hidden = self.0.get().is_some_and(|fields| fields.iter().any(|hidden| hidden == field));
        (!hidden).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_not_shown_and_the_rest_is() {
        let hidden = Hidden::default();
        assert_eq!(hidden.show("identity.user", 1), Some(1), "there is no plan yet");
        hidden.clone().set(vec!["reason".into(), "identity.user".into(), "reason".into()]);
        assert_eq!((hidden.show("identity.user", 1), hidden.show("headers", 2)), (None, Some(2)));
        assert_eq!(hidden.fields(), ["identity.user", "reason"]);
    }
}
