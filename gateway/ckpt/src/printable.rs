//! Makes text of any origin safe to print on a terminal.

use unicode_width::UnicodeWidthStr;

/// `text` with characters escaped that could move the cursor, change colours or reorder the text. Text that is wider than
/// `max` columns is cut and marked with `…`.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let mut printable = String::with_capacity(text.len().min(max));
    let mut width = 0_usize;
    for c in text.chars() {
        let piece = if misleads(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        };
        width = width.saturating_add(piece.width());
        if width > max {
            printable.push('…');
            break;
        }
        printable.push_str(&piece);
    }
    printable
}

/// Control characters, characters that set the direction of text (Unicode Standard Annex 9), and invisible characters.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escapes_misleading_characters() {
        assert_eq!(
            printable("a\u{1b}[31mb\r\n", 99),
            "a\\u{1b}[31mb\\u{d}\\u{a}"
        );
        assert_eq!(printable("gpj.\u{202e}exe", 99), "gpj.\\u{202e}exe");
        assert_eq!(printable("\u{200b}ä字", 99), "\\u{200b}ä字");
    }

    #[test]
    fn cuts_long_text_between_characters() {
        assert_eq!(printable("äöüß", 3), "äöü…");
        assert_eq!(printable("ab\u{7}", 4), "ab…", "an escape stays whole");
        assert_eq!(printable("abc", 3), "abc");
        assert_eq!(printable("字字", 3), "字…", "counted in columns");
    }
}
