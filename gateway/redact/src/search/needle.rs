//! Bytes and values to search for.

use super::encode::EncodedForm;
use super::escape::EscapedValue;

/// Bytes to find wherever they are.
#[derive(Debug)]
pub(super) struct Needle {
    /// The rule's index in the plan.
    pub(super) rule: usize,
    pub(super) form: EncodedForm,
}

/// A value to find wherever it is, whatever of it is escaped.
#[derive(Debug)]
pub(super) struct EscapedNeedle {
    /// The rule's index in the plan.
    pub(super) rule: usize,
    pub(super) value: EscapedValue,
}

impl Needle {
    /// The bytes to mask if the needle is at `at`, with the neighbours that hold bits of it.
    pub(super) fn extent(&self, bytes: &[u8], at: usize) -> (usize, usize) {
        let end = at + self.form.bytes.len();
        let is_base64 = |at: Option<usize>| {
            let byte = at.and_then(|at| bytes.get(at));
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
        };
        let before = self.form.before && is_base64(at.checked_sub(1));
        let after = self.form.after && is_base64(Some(end));
        (at - usize::from(before), end + usize::from(after))
    }
}
