//! Block scalars of YAML 1.2 (chapter 8.1): `password: |` and the indented lines behind it.

use std::ops::Range;

use super::known::{Line, Text};
use super::text::{run, run_back};
use super::words::is_secret;

const LINE_MAX: usize = 1024;
const LINES_MAX: usize = 256;

/// The lines of the block whose indicator stands at `start`, without the first one's indent, if one of them may be a secret.
pub(super) fn scalar(text: &Text<'_>, start: usize) -> Option<Range<usize>> {
    matches!(text.get(start), Some(b'|' | b'>')).then_some(())?;
    let marks = run(text, start + 1, 2, |byte| {
        matches!(byte, b'-' | b'+' | b'1'..=b'9')
    });
    let mut next = line_end(text, run(text, marks, LINE_MAX, |byte| byte == b' '))?;
    let indent = indent_of_line(text, start);
    let mut found: Option<Range<usize>> = None;
    let mut secret = false;
    let mut known = text.known.lines.borrow_mut();
    let position = text.base + next;
    if known.last().is_some_and(|last| last.start < position) {
        known.clear();
    }
    let index = known.partition_point(|line| line.start < position);
    for index in index..index + LINES_MAX {
        let position = text.base + next;
        let line = match known.get(index) {
            Some(line) if line.start == position => *line,
            _ => {
                let line = line_at(text, next);
                known.truncate(index);
                known.push(line);
                line
            }
        };
        if line.end > line.first {
            if line.first - position <= indent {
                break;
            }
            secret |= line.is_secret;
            let start = found.map_or(line.first - text.base, |found| found.start);
            found = Some(start..line.end - text.base);
        }
        let Some(after) = line.next else { break };
        next = after - text.base;
    }
    found.filter(|_| secret)
}

/// The line that begins at `start`, without blanks at its end.
fn line_at(text: &Text<'_>, start: usize) -> Line {
    let first = run(text, start, LINE_MAX, |byte| byte == b' ');
    let end = run(text, first, LINE_MAX, is_inner);
    let line = text.get(first..end).unwrap_or_default().trim_ascii_end();
    Line {
        start: text.base + start,
        first: text.base + first,
        end: text.base + first + line.len(),
        next: line_end(text, end).map(|next| text.base + next),
        is_secret: is_secret(line),
    }
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
