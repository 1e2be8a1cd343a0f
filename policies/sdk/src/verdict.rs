use crate::{Decision, Denial, Verdict};

impl Verdict {
    /// It may go on, as far as this policy is concerned.
    pub fn allow() -> Self {
        Self::from(Decision::Allow)
    }

    /// No opinion: another policy must allow it.
    pub fn abstain() -> Self {
        Self::from(Decision::Abstain)
    }

    /// It must not go on. `code` is stable and in kebab-case, for machines; `message` is shown to the caller, so it
    /// says what would help and holds no secret. It may quote what the caller sent: line breaks and the like are
    /// replaced, and what is longer than 1,024 bytes is cut.
    pub fn deny(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::from(Decision::Deny(Denial { code: code.into(), message: one_line(message.into()) }))
    }

    /// The same, with something for the audit record and the trace; its text is bounded as a message's is.
    #[must_use]
    pub fn annotated(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.push((name.into(), one_line(value.into())));
        self
    }
}

impl From<Decision> for Verdict {
    fn from(decision: Decision) -> Self {
        Self { decision, annotations: Vec::new() }
    }
}

/// The gateway takes a longer text, or one with control characters, for a malformed answer.
fn one_line(text: String) -> String {
    const LONGEST: usize = 1024;
    if text.len() <= LONGEST && !text.contains(char::is_control) {
        return text;
    }
    let mut line = text.replace(char::is_control, " ");
    line.truncate(line.floor_char_boundary(LONGEST));
    line
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_text_is_one_line_and_not_too_long() {
        assert_eq!(one_line("a\nb\u{85}c".into()), "a b c");
        assert_eq!(one_line("\u{e4}".repeat(600)).len(), 1024);
        assert_eq!(one_line(format!("a{}", "\u{e4}".repeat(600))).len(), 1023);
    }
}
