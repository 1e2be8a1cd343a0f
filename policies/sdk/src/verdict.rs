//! Constructors of verdicts.

use crate::bounds::TEXT_MAX;
use crate::{Decision, Denial, Verdict};

impl Verdict {
    /// Allows the request, unless another policy denies it.
    pub fn allow() -> Self {
        Self::from(Decision::Allow)
    }

    /// No opinion: another policy must allow the request.
    pub fn abstain() -> Self {
        Self::from(Decision::Abstain)
    }

    /// Denies the request. `code` is stable, machine-readable and in kebab-case. `message` is shown to the caller, so it says
    /// what would help and contains no secret. It may quote the request: control characters are replaced, and the text is
    /// truncated to 1,024 bytes.
    pub fn deny(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::from(Decision::Deny(Denial {
            code: code.into(),
            message: one_line(message.into()),
        }))
    }

    /// Adds an annotation for the audit record and the trace. Its text is bounded like a message.
    #[must_use]
    pub fn annotated(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.push((name.into(), one_line(value.into())));
        self
    }
}

impl From<Decision> for Verdict {
    fn from(decision: Decision) -> Self {
        Self {
            decision,
            annotations: Vec::new(),
        }
    }
}

/// Replaces control characters and truncates the text: the gateway refuses longer texts and control characters.
fn one_line(text: String) -> String {
    if text.len() <= TEXT_MAX && !text.contains(char::is_control) {
        return text;
    }
    let mut line = text.replace(char::is_control, " ");
    line.truncate(line.floor_char_boundary(TEXT_MAX));
    line
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn replaces_control_characters_and_truncates() {
        assert_eq!(one_line("a\nb\u{85}c".into()), "a b c");
        assert_eq!(one_line("\u{e4}".repeat(600)).len(), 1024);
        assert_eq!(one_line(format!("a{}", "\u{e4}".repeat(600))).len(), 1023);
    }
}
