//! Masks the environments that lie in memory pages.

use gateway_core::Place;

use super::known_values::KnownValues;
use super::layout::Segment;
use crate::Error;
use crate::search::{Rules, Tally};

/// Rules judge longer names by their first bytes.
const MAX_NAME: usize = 4 << 10;
/// The kernel's bound for one string (`MAX_ARG_STRLEN`), with 4 KiB pages. Longer values are masked and not learnt.
const MAX_VALUE: usize = 128 << 10;

/// Masks the environments in one `pages-*.img`, whose bytes come in pieces.
#[derive(Debug)]
pub(super) struct EnvironmentMasker {
    segments: std::vec::IntoIter<Segment>,
    current: Option<Segment>,
    /// The position in the image.
    at: u64,
    /// The address at which the variable that is being read would go on.
    next_address: u64,
    state: State,
    name: Vec<u8>,
    value: Vec<u8>,
    /// Bytes of the value so far. A value counts once, in however many pieces it comes.
    length: u64,
    /// Whether all bytes of the value so far were masked before.
    was_masked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Name,
    /// The value of a variable that is to be hidden.
    Hidden,
    /// The value of another variable.
    Shown,
    /// Behind pages that are not in the image: the variable is unknown, so the rest of its value is hidden.
    Unknown,
}

/// The rules and values that decide about a variable, and the counts that it goes into.
pub(super) struct Variables<'a> {
    pub(super) rules: &'a Rules,
    pub(super) known: &'a mut KnownValues,
    pub(super) found: &'a mut Tally,
}

impl EnvironmentMasker {
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        let mut segments = segments.into_iter();
        let current = segments.next();
        Self {
            current,
            segments,
            at: 0,
            next_address: current.map_or(0, |segment| segment.address),
            state: State::Name,
            name: Vec::new(),
            value: Vec::new(),
            length: 0,
            was_masked: true,
        }
    }

    /// Whether the next `length` bytes hold a part of an environment.
    pub(super) fn is_within(&self, length: usize) -> bool {
        self.current
            .is_some_and(|segment| segment.at < self.at.saturating_add(length as u64))
    }

    /// Passes over a piece that holds nothing of an environment.
    pub(super) fn skip(&mut self, length: usize) {
        self.at = self.at.saturating_add(length as u64);
    }

    /// Masks the next piece.
    pub(super) fn mask(
        &mut self,
        piece: &mut [u8],
        variables: &mut Variables<'_>,
    ) -> Result<(), Error> {
        let end = self.at.saturating_add(piece.len() as u64);
        while let Some(segment) = self.current.filter(|segment| segment.at < end) {
            let start = segment.at.max(self.at);
            let stop = segment.at.saturating_add(segment.length).min(end);
            let range = offset(start, self.at)..offset(stop, self.at);
            self.move_to(
                segment.address.saturating_add(start - segment.at),
                variables,
            )?;
            self.read(piece.get_mut(range).unwrap_or_default(), variables)?;
            self.next_address = segment.address.saturating_add(stop - segment.at);
            if stop < segment.at.saturating_add(segment.length) {
                break;
            }
            self.current = self.segments.next();
        }
        self.at = end;
        Ok(())
    }

    /// Ends the image.
    pub(super) fn finish(mut self, variables: &mut Variables<'_>) -> Result<(), Error> {
        self.end_variable(variables)
    }

    fn move_to(&mut self, address: u64, variables: &mut Variables<'_>) -> Result<(), Error> {
        if address != self.next_address {
            let open = self.state != State::Name || !self.name.is_empty();
            self.end_variable(variables)?;
            self.state = if open { State::Unknown } else { State::Name };
        }
        Ok(())
    }

    fn read(&mut self, mut bytes: &mut [u8], variables: &mut Variables<'_>) -> Result<(), Error> {
        while !bytes.is_empty() {
            let ends = |byte: &u8| *byte == 0 || self.state == State::Name && *byte == b'=';
            let found = bytes.iter().position(ends);
            let (text, rest) = bytes
                .split_at_mut_checked(found.unwrap_or(bytes.len()))
                .unwrap_or_default();
            self.read_text(text, variables);
            let Some((end, rest)) = rest.split_first_mut() else {
                return Ok(());
            };
            match *end {
                b'=' => self.begin_value(variables),
                _ => self.end_variable(variables)?,
            }
            bytes = rest;
        }
        Ok(())
    }

    fn read_text(&mut self, text: &mut [u8], variables: &mut Variables<'_>) {
        match self.state {
            State::Name => {
                append(&mut self.name, text, MAX_NAME);
                let Variables {
                    rules,
                    known,
                    found,
                } = variables;
                known.hide_pieces(rules, text, found);
            }
            State::Hidden => append(&mut self.value, text, MAX_VALUE),
            State::Shown => append(&mut self.value, text, MAX_NAME),
            State::Unknown => {}
        }
        if matches!(self.state, State::Hidden | State::Unknown) {
            self.length = self.length.saturating_add(text.len() as u64);
            self.was_masked &= !variables.known.overwrite(text);
        }
    }

    fn begin_value(&mut self, variables: &Variables<'_>) {
        let Variables { rules, known, .. } = variables;
        self.state = if known.hides(rules, Place::Memory, &self.name) {
            State::Hidden
        } else {
            State::Shown
        };
    }

    fn end_variable(&mut self, variables: &mut Variables<'_>) -> Result<(), Error> {
        let Variables {
            rules,
            known,
            found,
        } = variables;
        let hidden = self.state == State::Hidden && !self.value.is_empty();
        if self.state == State::Shown && !rules.selects(&self.name) {
            known.pass_over(rules, &self.name, &self.value)?;
        }
        self.state = State::Name;
        let name = std::mem::take(&mut self.name);
        let value = std::mem::take(&mut self.value);
        let length = std::mem::take(&mut self.length);
        if !std::mem::replace(&mut self.was_masked, true) {
            known.count(rules, Place::Memory, &name, length, found);
            known.describe(rules, Place::Memory, &name, &value, found);
        }
        if hidden {
            known.learn(rules, &String::from_utf8_lossy(&name), &value)
        } else {
            Ok(())
        }
    }
}

/// Appends as much of `text` as fits into `max` bytes.
fn append(to: &mut Vec<u8>, text: &[u8], max: usize) {
    let fits = max.saturating_sub(to.len()).min(text.len());
    to.extend_from_slice(text.get(..fits).unwrap_or_default());
}

fn offset(position: u64, base: u64) -> usize {
    usize::try_from(position.saturating_sub(base)).unwrap_or(usize::MAX)
}
