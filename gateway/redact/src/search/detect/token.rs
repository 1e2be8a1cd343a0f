//! Tokens that are known by a fixed piece and an alphabet: a row of the tables in `tokens`.

use std::fmt;
use std::ops::Range;

use memchr::memmem;

use super::super::anchor::Anchor;
use super::known::Text;
use super::text::{before, set};

/// The longest body that is followed.
pub(super) const LONG: usize = 2048;

/// A kind of token: an optional head, a fixed piece, and a body.
pub(in super::super) struct Token {
    /// The name of the kind, for tests and documents.
    pub(in super::super) kind: &'static str,
    /// The bytes that every token of this kind has.
    pub(in super::super) fixed: &'static str,
    /// The bytes of the part before `fixed`, and its least and its greatest length.
    pub(in super::super) head: (fn(u8) -> bool, usize, usize),
    /// The bytes of the part after `fixed`.
    pub(in super::super) is: fn(u8) -> bool,
    /// The least and the greatest length of the part after `fixed`.
    pub(in super::super) body: (usize, usize),
    /// A further condition on the whole token.
    check: fn(&[u8]) -> bool,
    /// The issuer's public documentation of the format.
    pub(in super::super) source: &'static str,
    /// The check digits, if the format has any. Tokens whose digits are wrong are hidden all the same.
    pub(in super::super) checksum: &'static str,
}

/// A token that begins with `fixed`.
pub(super) const fn token(
    kind: &'static str,
    fixed: &'static str,
    is: fn(u8) -> bool,
    body: (usize, usize),
) -> Token {
    Token {
        kind,
        fixed,
        is,
        head: (is, 0, 0),
        body,
        check: |_| true,
        source: "",
        checksum: "",
    }
}

impl Token {
    /// With bytes of this alphabet before `fixed`.
    pub(super) const fn after(mut self, is: fn(u8) -> bool, least: usize, most: usize) -> Self {
        self.head = (is, least, most);
        self
    }

    /// With a further condition.
    pub(super) const fn only_if(mut self, check: fn(&[u8]) -> bool) -> Self {
        self.check = check;
        self
    }

    /// Documented there.
    pub(super) const fn from(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    /// With check digits of this kind.
    pub(super) const fn with_checksum(mut self, checksum: &'static str) -> Self {
        self.checksum = checksum;
        self
    }

    /// The fixed piece and, if it is short, so much of the body that the filter has rare grams.
    pub(super) fn anchor(&self) -> Anchor {
        let classes = 5usize.saturating_sub(self.fixed.len()).min(self.body.0);
        let fixed = Anchor::literal(self.fixed.as_bytes());
        (0..classes).fold(fixed, |anchor, _| anchor.then(set(self.is)))
    }

    /// The token whose fixed piece stands at `at`.
    pub(in super::super) fn find(&self, text: &Text<'_>, at: usize) -> Option<Range<usize>> {
        let start = self.start(text, at)?;
        let body = at + self.fixed.len();
        let end = text.run(body, self.body.1 + 2, self.is);
        // A full stop at the end of a sentence.
        let end = text.run_back(end, end - body, |byte| byte == b'.');
        let length = end - body;
        (self.body.0..=self.body.1)
            .contains(&length)
            .then_some(())?;
        let random = if length > at - start {
            body..end
        } else {
            start..at
        };
        let is_one = is_varied_part(text, random) && (self.check)(text.get(start..end)?);
        is_one.then_some(start..end)
    }

    /// Whether a token of this kind stands at `span`.
    pub(super) fn is_at(&self, text: &Text<'_>, span: &Range<usize>) -> bool {
        let last = span.start + self.head.2 + self.fixed.len();
        let within = text.get(span.start..last.min(span.end));
        let fixed = memmem::find_iter(within.unwrap_or_default(), self.fixed);
        let mut found = fixed.map(|at| self.find(text, span.start + at));
        found.any(|found| found.as_ref() == Some(span))
    }

    pub(super) fn begins_a_word(&self) -> bool {
        self.fixed.starts_with(|c: char| c.is_ascii_alphanumeric())
    }

    fn start(&self, text: &Text<'_>, at: usize) -> Option<usize> {
        let (is, least, most) = self.head;
        if most == 0 {
            return (!self.begins_a_word() || is_boundary(text, at)).then_some(at);
        }
        let start = text.run_back(at, most + 1, is);
        (least..=most).contains(&(at - start)).then_some(start)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.kind).finish()
    }
}

/// Whether a token may begin at `at`: not in the middle of a word. A letter that ends an escape (`\n`, `%3D`, `\u0022`) is not
/// a part of a word.
pub(super) fn is_boundary(text: &[u8], at: usize) -> bool {
    let Some(last) = before(text, at) else {
        return true;
    };
    if !last.is_ascii_alphanumeric() && last != b'_' {
        return true;
    }
    let back = |length: usize| {
        text.get(at.saturating_sub(length)..at)
            .filter(|piece| piece.len() == length)
    };
    let hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    matches!(back(2), Some([b'\\', b'n' | b'r' | b't' | b'0']))
        || matches!(back(3), Some([b'%', digits @ ..]) if hex(digits))
        || matches!(back(6), Some([b'\\', b'u', digits @ ..]) if hex(digits))
}

/// Whether it may be random, and no placeholder or word: several different bytes, with a digit or capitals and small letters.
pub(super) fn is_varied(body: &[u8]) -> bool {
    let mut seen = [0u64; 4];
    let (mut different, mut digit, mut upper, mut lower) = (0, false, false, false);
    for &byte in body {
        let bit = 1 << (byte & 63);
        if let Some(seen) = seen.get_mut(usize::from(byte >> 6))
            && *seen & bit == 0
        {
            *seen |= bit;
            different += 1;
            digit |= byte.is_ascii_digit();
            upper |= byte.is_ascii_uppercase();
            lower |= byte.is_ascii_lowercase();
            if different >= 6 && (digit || (upper && lower)) {
                return true;
            }
        }
    }
    false
}

/// As [`is_varied`]: a part of one that is not varied is not, either.
pub(super) fn is_varied_part(text: &Text<'_>, part: Range<usize>) -> bool {
    let (start, end) = text.known.plain.get();
    let (first, last) = (text.base + part.start, text.base + part.end);
    let known = start <= first && last <= end;
    let varied = !known && text.get(part).is_some_and(is_varied);
    if !varied && !known {
        text.known.plain.set((first, last));
    }
    varied
}
