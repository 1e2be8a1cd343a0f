use gateway_core::one_line;

/// All texts of one inspection together, in bytes: an archive with ten thousand processes gets a shorter answer, not a
/// larger one.
const ALL: usize = 16 << 20;

/// Makes what an archive says fit to be shown, and bounds it.
#[derive(Debug)]
pub(super) struct Texts {
    left: usize,
    cut: bool,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            left: ALL,
            cut: false,
        }
    }
}

impl Texts {
    /// One line of at most `max` bytes; `None` once there is no more room for any.
    pub(super) fn line(&mut self, text: &[u8], max: usize) -> Option<String> {
        // A little more than may be shown, so that a cut is marked.
        let text = text.get(..max.saturating_add(8)).unwrap_or(text);
        let line = one_line(&String::from_utf8_lossy(text), max);
        let Some(left) = self.left.checked_sub(line.len()) else {
            self.note_cut();
            return None;
        };
        self.left = left;
        Some(line)
    }

    /// The first `most` of `all`, as far as there is room.
    pub(super) fn list<T, U>(
        &mut self,
        all: impl IntoIterator<Item = T>,
        most: usize,
        mut make: impl FnMut(&mut Self, T) -> Option<U>,
    ) -> Vec<U> {
        let mut list = Vec::new();
        for one in all {
            if list.len() == most {
                self.note_cut();
                break;
            }
            let Some(one) = make(self, one) else { break };
            list.push(one);
        }
        list
    }

    /// Something was left out.
    pub(super) fn note_cut(&mut self) {
        self.cut = true;
    }

    pub(super) fn were_cut(&self) -> bool {
        self.cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_single_lines_and_end_when_there_are_too_many() {
        let mut texts = Texts::default();
        assert_eq!(texts.line(b"a\x1b[31m\nb", 100).unwrap(), "a [31m b");
        assert_eq!(texts.line(b"abcdef", 3).unwrap(), "abc\u{2026}");
        assert_eq!(texts.line(b"\xff\xfe", 100).unwrap(), "\u{fffd}\u{fffd}");
        assert!(!texts.were_cut());
        let long = vec![b'a'; 1 << 20];
        let list = texts.list(std::iter::repeat(&long), 1000, |texts, text| {
            texts.line(text, 1 << 20)
        });
        assert_eq!(list.len(), 15);
        assert!(texts.were_cut());
    }
}
