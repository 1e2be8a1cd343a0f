/// `text` made fit for a terminal, whoever wrote it: what could move the cursor, change colours, or show text in another
/// order than it has is written out, and what exceeds `max` characters is cut and marked with `…`.
pub(crate) fn shown(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max));
    let mut length = 0_usize;
    for c in text.chars() {
        let piece = if misleads(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        };
        let width = piece.chars().count();
        if length.saturating_add(width) > max {
            shown.push('…');
            break;
        }
        length = length.saturating_add(width);
        shown.push_str(&piece);
    }
    shown
}

/// Control characters, those that set the direction of text (Unicode Standard Annex 9), and those that are not seen.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_misleads_is_written_out() {
        assert_eq!(shown("a\u{1b}[31mb\r\n", 99), "a\\u{1b}[31mb\\u{d}\\u{a}");
        assert_eq!(shown("gpj.\u{202e}exe", 99), "gpj.\\u{202e}exe");
        assert_eq!(shown("\u{200b}ä字", 99), "\\u{200b}ä字");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shown("äöüß", 3), "äöü…");
        assert_eq!(shown("ab\u{7}", 4), "ab…", "an escape is not cut");
        assert_eq!(shown("abc", 3), "abc");
    }
}
