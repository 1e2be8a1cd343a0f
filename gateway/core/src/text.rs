//! Text from others, made safe to print.

/// Returns `text` for one line of a log, an error or a terminal. Control characters, among them line ends and escape
/// sequences, become spaces. Text beyond `max` bytes is cut at a character's boundary and marked with `…`.
pub fn one_line(text: &str, max: usize) -> String {
    let shown: String = text
        .char_indices()
        .take_while(|(at, c)| at + c.len_utf8() <= max)
        .map(|(_, c)| if c.is_control() { ' ' } else { c })
        .collect();
    if shown.len() < text.len() && shown.chars().count() < text.chars().count() {
        shown + "…"
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::one_line;
    use proptest::prelude::*;

    #[test]
    fn replaces_control_characters_by_spaces() {
        assert_eq!(one_line("a\r\nb\u{1b}[31m\u{85}c", 100), "a  b [31m c");
    }

    #[test]
    fn marks_a_shortened_text() {
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcdef…");
        assert_eq!(one_line("äöü", 3), "ä…");
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_bounded_line(text in ".*|\\PC*|[\\x00-\\x20]*", max in 0usize..50) {
            let line = one_line(&text, max);
            prop_assert!(line.len() <= max + '…'.len_utf8());
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
