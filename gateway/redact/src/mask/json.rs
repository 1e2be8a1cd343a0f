//! Masks JSON documents: no length changes, and the document stays valid JSON.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_core::Place;
use serde::de::IgnoredAny;

use super::json_string::{self, Character};
use super::known_values::KnownValues;
use super::maskers::mask;
use super::paths::{PathUse, Paths};
use crate::Error;
use crate::search::{Rules, Tally};

/// Documents inside documents: containerd's `spec.dump` has the OCI configuration as base64 in one of its strings.
const MAX_DEPTH: u32 = 2;

/// Masks one document.
pub(super) struct JsonMasker<'a> {
    pub(super) rules: &'a Rules,
    pub(super) places: &'static [Place],
    pub(super) mask: u8,
    pub(super) known: &'a mut KnownValues,
    pub(super) found: &'a mut Tally,
    /// For documents in which some strings are paths, with the member's name.
    pub(super) paths: Option<(&'a mut Paths, &'a str)>,
}

/// The meaning of a value, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// An array of `NAME=value`.
    Environment,
    /// Perhaps a document in base64.
    Encoded,
    /// A path, or an array of them.
    Path,
    /// The name of the container, of its pod, or of its user.
    Name,
    /// A command line, of which no argument was read.
    CommandLine,
    Other,
}

/// The object, with its latest key, or the array around a position in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enclosing {
    Object(Role),
    Array(Role),
}

impl JsonMasker<'_> {
    /// Masks `text`. Returns `false`, and changes nothing, if it is not JSON.
    pub(super) fn mask(&mut self, text: &mut [u8]) -> Result<bool, Error> {
        self.mask_document(text, MAX_DEPTH)
    }

    fn mask_document(&mut self, text: &mut [u8], depth: u32) -> Result<bool, Error> {
        if !is_json(text) {
            return Ok(false);
        }
        self.mask_strings(text, depth)?;
        if is_json(text) {
            return Ok(true);
        }
        Err(Error::BrokeArchive(
            "masking broke a JSON document".to_owned(),
        ))
    }

    fn mask_strings(&mut self, text: &mut [u8], depth: u32) -> Result<(), Error> {
        let (mut stack, mut at) = (Vec::new(), 0);
        while let Some(byte) = text.get(at) {
            match byte {
                b'{' => stack.push(Enclosing::Object(Role::Other)),
                b'[' => stack.push(Enclosing::Array(role_of_array(stack.last()))),
                b'}' | b']' => drop(stack.pop()),
                b'"' => at = self.mask_string_at(text, at + 1, &mut stack, depth)?,
                _ => {}
            }
            at += 1;
        }
        Ok(())
    }

    /// Masks the string that begins at `start`; returns where it ends.
    fn mask_string_at(
        &mut self,
        text: &mut [u8],
        start: usize,
        stack: &mut [Enclosing],
        depth: u32,
    ) -> Result<usize, Error> {
        let end = json_string::end(text, start);
        let behind = text.get(end + 1..).unwrap_or_default();
        let is_key = behind.trim_ascii_start().first() == Some(&b':');
        let top_level = stack.len() == 1;
        let string = text.get_mut(start..end).unwrap_or_default();
        match stack.last_mut() {
            Some(Enclosing::Object(role)) if is_key => {
                *role = role_of_key(string);
                self.mask_text(string);
            }
            Some(Enclosing::Object(Role::Path) | Enclosing::Array(Role::Path)) => {
                self.mask_path(string);
            }
            Some(Enclosing::Array(Role::Environment)) => self.mask_variable(string)?,
            Some(Enclosing::Array(role @ Role::CommandLine)) => {
                *role = Role::Other;
                self.known.names().add_command(&json_string::decode(string));
                self.mask_text(string);
            }
            Some(Enclosing::Object(Role::Name)) if self.places == [Place::Spec] => {
                self.known.names().add(&json_string::decode(string));
                self.mask_text(string);
            }
            Some(Enclosing::Object(Role::Encoded))
                if top_level && self.mask_encoded(string, depth)? => {}
            _ => self.mask_text(string),
        }
        Ok(end)
    }

    /// Masks a document in base64. Returns `false` if the string is none.
    fn mask_encoded(&mut self, string: &mut [u8], depth: u32) -> Result<bool, Error> {
        let decoded = STANDARD.decode(&*string).ok().zip(depth.checked_sub(1));
        let Some((mut inner, depth)) = decoded.filter(|(inner, _)| !inner.is_empty()) else {
            return Ok(false);
        };
        if !self.mask_document(&mut inner, depth)? {
            return Ok(false);
        }
        // Fits exactly, since masking keeps lengths.
        STANDARD
            .encode_slice(&inner, string)
            .map(|_| true)
            .map_err(|_| Error::BrokeArchive("masking changed a length".to_owned()))
    }

    /// Masks an entry of an environment.
    fn mask_variable(&mut self, string: &mut [u8]) -> Result<(), Error> {
        let rest = self.hide_value(string)?.unwrap_or(string.len());
        self.mask_text(string.get_mut(..rest).unwrap_or_default());
        Ok(())
    }

    /// Overwrites the whole value of a variable that is to be hidden, however short it is; returns where it begins.
    fn hide_value(&mut self, string: &mut [u8]) -> Result<Option<usize>, Error> {
        let decoded = json_string::decode(string);
        let split = decoded
            .iter()
            .position(|byte| *byte == b'=')
            .and_then(|at| decoded.split_at_checked(at));
        let equals = json_string::characters(string).find(|character| character.text == b"=");
        let Some(((name, value), equals)) = split.zip(equals) else {
            return Ok(None);
        };
        let mut places = self.places.iter().copied();
        let value = value.get(1..).unwrap_or_default();
        let Some(place) = places.find(|place| self.known.hides(self.rules, *place, name)) else {
            if !self.rules.selects(name) {
                self.known.pass_over(self.rules, name, value)?;
            }
            return Ok(None);
        };
        self.known
            .learn(self.rules, &String::from_utf8_lossy(name), value)?;
        let raw = string.get_mut(equals.raw.end..).unwrap_or_default();
        self.known.hide(self.rules, place, name, raw, self.found);
        Ok(Some(equals.raw.end))
    }

    /// Masks a path, or notes that it is kept.
    fn mask_path(&mut self, string: &mut [u8]) {
        let Some((paths, member)) = self.paths.take() else {
            return self.mask_text(string);
        };
        let (mut edited, before) = (string.to_vec(), std::mem::take(self.found));
        self.mask_text(&mut edited);
        let here = std::mem::replace(self.found, before);
        let here = paths.edit(member, PathUse::Named, string, |path| {
            path.copy_from_slice(&edited);
            here
        });
        if let Some(here) = here {
            self.found.merge(&here);
        }
        self.paths = Some((paths, member));
    }

    /// Masks any other string, as it is written and as it reads.
    fn mask_text(&mut self, string: &mut [u8]) {
        self.mask_form(string, <[u8]>::to_vec, |character, _| character.raw.clone());
        if string.contains(&b'\\') {
            self.mask_form(string, json_string::decode, |character, at| {
                at..at + character.text.len()
            });
        }
    }

    /// Masks a form of `string`, then overwrites every character of which that form changed. `part` is the position of a
    /// character in the form, from the character and the decoded length before it.
    fn mask_form(
        &mut self,
        string: &mut [u8],
        form: impl Fn(&[u8]) -> Vec<u8>,
        part: impl Fn(&Character, usize) -> Range<usize>,
    ) {
        let before = form(string);
        let mut after = before.clone();
        mask(self.rules, self.places, &mut after, self.found);
        if before == after {
            return;
        }
        let (original, mut at) = (string.to_vec(), 0);
        for character in json_string::characters(&original) {
            let part = part(&character, at);
            at += character.text.len();
            if before.get(part.clone()) != after.get(part)
                && let Some(raw) = string.get_mut(character.raw)
            {
                raw.fill(self.mask);
            }
        }
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn role_of_array(enclosing: Option<&Enclosing>) -> Role {
    match enclosing {
        Some(Enclosing::Object(role)) => *role,
        _ => Role::Other,
    }
}

fn role_of_key(key: &[u8]) -> Role {
    let key = json_string::decode(key);
    match key.to_ascii_lowercase().as_slice() {
        b"env" => Role::Environment,
        b"value" => Role::Encoded,
        b"cwd" | b"destination" | b"source" | b"path" | b"maskedpaths" | b"readonlypaths" => {
            Role::Path
        }
        b"args" => Role::CommandLine,
        b"hostname"
        | b"username"
        | b"io.kubernetes.cri.sandbox-name"
        | b"io.kubernetes.cri.sandbox-namespace"
        | b"io.kubernetes.cri.container-name"
        | b"io.kubernetes.pod.name"
        | b"io.kubernetes.pod.namespace"
        | b"io.kubernetes.container.name" => Role::Name,
        _ => Role::Other,
    }
}
