use gateway_core::Place;

use super::known::Known;
use super::layout::Segment;
use crate::Error;
use crate::search::{Rules, Tally};

/// Longer names are judged by their beginning.
const MAX_NAME: usize = 4 << 10;
/// The kernel's bound for one string (`MAX_ARG_STRLEN`), with 4 KiB pages. What is longer is masked and not learnt.
const MAX_VALUE: usize = 128 << 10;

/// Masks the environments that lie in one `pages-*.img`, while its bytes come in pieces.
#[derive(Debug)]
pub(super) struct Environ {
    segments: std::vec::IntoIter<Segment>,
    current: Option<Segment>,
    /// How much of the image has gone by.
    at: u64,
    /// Where in memory the variable that is open now would go on.
    next_address: u64,
    state: State,
    name: Vec<u8>,
    value: Vec<u8>,
    /// Bytes of the value so far, and whether all of them had been overwritten before. A value counts once, in however
    /// many pieces it comes.
    length: u64,
    overwritten: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Name,
    /// The value of a variable that is to be hidden.
    Hidden,
    /// The value of another.
    Plain,
    /// After pages that are not in the image: what this belongs to cannot be told, so it goes too.
    Unknown,
}

/// What a piece is looked at with.
pub(super) struct Tools<'a> {
    pub(super) rules: &'a Rules,
    pub(super) known: &'a mut Known,
    pub(super) found: &'a mut Tally,
}

impl Environ {
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
            overwritten: true,
        }
    }

    /// Whether a piece of `length` bytes that comes next holds anything of an environment.
    pub(super) fn concerns(&self, length: usize) -> bool {
        self.current
            .is_some_and(|segment| segment.at < self.at.saturating_add(length as u64))
    }

    /// A piece that holds nothing of an environment.
    pub(super) fn skip(&mut self, length: usize) {
        self.at = self.at.saturating_add(length as u64);
    }

    /// Masks the next piece.
    pub(super) fn edit(&mut self, piece: &mut [u8], tools: &mut Tools<'_>) -> Result<(), Error> {
        let end = self.at.saturating_add(piece.len() as u64);
        while let Some(segment) = self.current.filter(|segment| segment.at < end) {
            let start = segment.at.max(self.at);
            let stop = segment.at.saturating_add(segment.length).min(end);
            let range = offset(start, self.at)..offset(stop, self.at);
            self.enter(segment.address.saturating_add(start - segment.at), tools)?;
            self.read(piece.get_mut(range).unwrap_or_default(), tools)?;
            self.next_address = segment.address.saturating_add(stop - segment.at);
            if stop < segment.at.saturating_add(segment.length) {
                break;
            }
            self.current = self.segments.next();
        }
        self.at = end;
        Ok(())
    }

    /// The image ends.
    pub(super) fn finish(mut self, tools: &mut Tools<'_>) -> Result<(), Error> {
        self.close(tools)
    }

    fn enter(&mut self, address: u64, tools: &mut Tools<'_>) -> Result<(), Error> {
        if address != self.next_address {
            let open = self.state != State::Name || !self.name.is_empty();
            self.close(tools)?;
            self.state = if open { State::Unknown } else { State::Name };
        }
        Ok(())
    }

    fn read(&mut self, mut bytes: &mut [u8], tools: &mut Tools<'_>) -> Result<(), Error> {
        while !bytes.is_empty() {
            let ends = |byte: &u8| *byte == 0 || self.state == State::Name && *byte == b'=';
            let found = bytes.iter().position(ends);
            let (text, rest) = bytes
                .split_at_mut_checked(found.unwrap_or(bytes.len()))
                .unwrap_or_default();
            self.part(text, tools);
            let Some((end, rest)) = rest.split_first_mut() else {
                return Ok(());
            };
            match *end {
                b'=' => self.begin_value(tools),
                _ => self.close(tools)?,
            }
            bytes = rest;
        }
        Ok(())
    }

    fn part(&mut self, text: &mut [u8], tools: &mut Tools<'_>) {
        match self.state {
            State::Name => keep(&mut self.name, text, MAX_NAME),
            State::Hidden => keep(&mut self.value, text, MAX_VALUE),
            State::Plain | State::Unknown => {}
        }
        if matches!(self.state, State::Hidden | State::Unknown) {
            self.length = self.length.saturating_add(text.len() as u64);
            self.overwritten &= !tools.known.overwrite(text);
        }
    }

    fn begin_value(&mut self, tools: &Tools<'_>) {
        self.state = if tools.known.hides(tools.rules, Place::Memory, &self.name) {
            State::Hidden
        } else {
            State::Plain
        };
    }

    fn close(&mut self, tools: &mut Tools<'_>) -> Result<(), Error> {
        let hidden = self.state == State::Hidden && !self.value.is_empty();
        self.state = State::Name;
        let (name, value) = (
            std::mem::take(&mut self.name),
            std::mem::take(&mut self.value),
        );
        if !std::mem::replace(&mut self.overwritten, true) {
            tools
                .known
                .count(tools.rules, Place::Memory, &name, self.length, tools.found);
        }
        self.length = 0;
        if hidden {
            tools
                .known
                .learn(tools.rules, &String::from_utf8_lossy(&name), &value)
        } else {
            Ok(())
        }
    }
}

fn keep(held: &mut Vec<u8>, text: &[u8], most: usize) {
    let room = most.saturating_sub(held.len()).min(text.len());
    held.extend_from_slice(text.get(..room).unwrap_or_default());
}

fn offset(position: u64, base: u64) -> usize {
    usize::try_from(position.saturating_sub(base)).unwrap_or(usize::MAX)
}
