use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_core::Place;
use serde::de::IgnoredAny;

use super::known::Known;
use super::literal;
use super::screen::mask;
use crate::Error;
use crate::search::{Rules, Tally};

/// Documents inside documents: containerd's `spec.dump` has the OCI configuration as base64 in one of its strings.
const MAX_DEPTH: u32 = 2;

/// Hides what a plan hides in JSON documents, without changing a length or breaking the JSON.
pub(super) struct Editor<'a> {
    pub(super) rules: &'a Rules,
    pub(super) places: &'static [Place],
    pub(super) mask: u8,
    pub(super) known: &'a mut Known,
    pub(super) found: &'a mut Tally,
}

/// What a key says about what stands under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `NAME=value` entries, if it is an array.
    Environment,
    /// Perhaps a document in base64.
    Value,
    Other,
}

/// Where in a document we are: in an object, with its last key, or in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Object(Role),
    Array(Role),
}

impl Editor<'_> {
    /// Edits `text`; `false`, and nothing is edited, if it is no JSON.
    pub(super) fn edit(&mut self, text: &mut [u8]) -> Result<bool, Error> {
        self.document(text, MAX_DEPTH)
    }

    fn document(&mut self, text: &mut [u8], depth: u32) -> Result<bool, Error> {
        if !is_json(text) {
            return Ok(false);
        }
        self.walk(text, depth)?;
        if is_json(text) {
            return Ok(true);
        }
        Err(Error::BrokeArchive(
            "masking broke a JSON document".to_owned(),
        ))
    }

    fn walk(&mut self, text: &mut [u8], depth: u32) -> Result<(), Error> {
        let (mut stack, mut at) = (Vec::new(), 0);
        while let Some(byte) = text.get(at) {
            match byte {
                b'{' => stack.push(Frame::Object(Role::Other)),
                b'[' => stack.push(Frame::Array(role_of(stack.last()))),
                b'}' | b']' => drop(stack.pop()),
                b'"' => at = self.string(text, at + 1, &mut stack, depth)?,
                _ => {}
            }
            at += 1;
        }
        Ok(())
    }

    /// Edits the string that begins at `start` and tells where it ends.
    fn string(
        &mut self,
        text: &mut [u8],
        start: usize,
        stack: &mut [Frame],
        depth: u32,
    ) -> Result<usize, Error> {
        let end = literal::end(text, start);
        let is_key = text
            .get(end + 1..)
            .and_then(|rest| rest.trim_ascii_start().first())
            == Some(&b':');
        let top_level = stack.len() == 1;
        let string = text.get_mut(start..end).unwrap_or_default();
        match stack.last_mut() {
            Some(Frame::Object(role)) if is_key => {
                *role = role_of_key(string);
                self.text(string);
            }
            Some(Frame::Array(Role::Environment)) => self.variable(string)?,
            Some(Frame::Object(Role::Value)) if top_level && self.encoded(string, depth)? => {}
            _ => self.text(string),
        }
        Ok(end)
    }

    /// A document in base64. `false` if it is none.
    fn encoded(&mut self, string: &mut [u8], depth: u32) -> Result<bool, Error> {
        let inner = STANDARD.decode(&*string).ok().zip(depth.checked_sub(1));
        let Some((mut inner, depth)) = inner.filter(|(inner, _)| !inner.is_empty()) else {
            return Ok(false);
        };
        if !self.document(&mut inner, depth)? {
            return Ok(false);
        }
        // Fits exactly: masking keeps lengths.
        STANDARD
            .encode_slice(&inner, string)
            .map(|_| true)
            .map_err(|_| Error::BrokeArchive("masking changed a length".to_owned()))
    }

    /// An entry of an environment.
    fn variable(&mut self, string: &mut [u8]) -> Result<(), Error> {
        let rest = self.hide_value(string)?.unwrap_or(string.len());
        self.text(string.get_mut(..rest).unwrap_or_default());
        Ok(())
    }

    /// Overwrites the whole value of a variable that is to be hidden, however short it is; tells where it begins.
    fn hide_value(&mut self, string: &mut [u8]) -> Result<Option<usize>, Error> {
        let decoded = literal::decode(string);
        let split = decoded
            .iter()
            .position(|byte| *byte == b'=')
            .and_then(|at| decoded.split_at_checked(at));
        let equals = literal::units(string).find(|unit| unit.text == b"=");
        let Some(((name, value), equals)) = split.zip(equals) else {
            return Ok(None);
        };
        let mut places = self.places.iter().copied();
        let Some(place) = places.find(|place| self.known.hides(self.rules, *place, name)) else {
            return Ok(None);
        };
        let value = value.get(1..).unwrap_or_default();
        self.known
            .learn(self.rules, &String::from_utf8_lossy(name), value)?;
        let raw = string.get_mut(equals.raw.end..).unwrap_or_default();
        self.known.hide(self.rules, place, name, raw, self.found);
        Ok(Some(equals.raw.end))
    }

    /// Any other string, as it stands and as it reads.
    fn text(&mut self, string: &mut [u8]) {
        self.scan(string, <[u8]>::to_vec, |unit, _| unit.raw.clone());
        if string.contains(&b'\\') {
            self.scan(string, literal::decode, |unit, read| {
                read..read + unit.text.len()
            });
        }
    }

    /// Masks a form of `string`, then overwrites each character whose part of that form changed.
    fn scan(
        &mut self,
        string: &mut [u8],
        form: impl Fn(&[u8]) -> Vec<u8>,
        part: impl Fn(&literal::Unit, usize) -> std::ops::Range<usize>,
    ) {
        let before = form(string);
        let mut after = before.clone();
        mask(self.rules, self.places, &mut after, self.found);
        if before == after {
            return;
        }
        let (original, mut read) = (string.to_vec(), 0);
        for unit in literal::units(&original) {
            let part = part(&unit, read);
            read += unit.text.len();
            if before.get(part.clone()) != after.get(part)
                && let Some(raw) = string.get_mut(unit.raw)
            {
                raw.fill(self.mask);
            }
        }
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn role_of(frame: Option<&Frame>) -> Role {
    match frame {
        Some(Frame::Object(role)) => *role,
        _ => Role::Other,
    }
}

fn role_of_key(key: &[u8]) -> Role {
    let key = literal::decode(key);
    match key.to_ascii_lowercase().as_slice() {
        b"env" => Role::Environment,
        b"value" => Role::Value,
        _ => Role::Other,
    }
}
