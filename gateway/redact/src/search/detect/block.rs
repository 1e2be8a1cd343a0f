//! Block scalars of YAML 1.2 (chapter 8.1): `password: |` and the indented lines behind it.

use std::ops::Range;

use super::text::{run, run_back};
use super::words::is_secret;

const LINE_MAX: usize = 1024;
const LINES_MAX: usize = 256;

/// The lines of the block whose indicator stands at `start`, without the first one's indent, if one of them may be a secret.
pub(super) fn scalar(text: &[u8], start: usize) -> Option<Range<usize>> {
    matches!(text.get(start), Some(b'|' | b'>')).then_some(())?;
    let marks = run(text, start + 1, 2, |byte| {
        matches!(byte, b'-' | b'+' | b'1'..=b'9')
    });
    let indent = indent_of_line(text, start);
    let mut next = line_end(text, run(text, marks, LINE_MAX, |byte| byte == b' '))?;
    let mut found: Option<Range<usize>> = None;
    let mut secret = false;
    for _ in 0..LINES_MAX {
        let first = run(text, next, LINE_MAX, |byte| byte == b' ');
        let end = run(text, first, LINE_MAX, is_inner);
        let line = text.get(first..end)?.trim_ascii_end();
        if !line.is_empty() {
            if first - next <= indent {
                break;
            }
            secret |= is_secret(line);
            let start = found.map_or(first, |found| found.start);
            found = Some(start..first + line.len());
        }
        let Some(after) = line_end(text, end) else {
            break;
        };
        next = after;
    }
    found.filter(|_| secret)
}

fn is_inner(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// The beginning of the next line, if this one ends at `at`.
fn line_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..)? {
        [b'\r', b'\n', ..] => Some(at + 2),
        [b'\n', ..] => Some(at + 1),
        _ => None,
    }
}

/// The number of blanks before the line's first character; a list's dashes count.
fn indent_of_line(text: &[u8], at: usize) -> usize {
    let line = run_back(text, at, LINE_MAX, is_inner);
    run(text, line, LINE_MAX, |byte| matches!(byte, b' ' | b'-')) - line
}
