//! JSON documents, and members that may be JSON.

use std::io::BufRead;

use gateway_core::Place;

use super::Pass;
use crate::Error;
use crate::content::EVERYWHERE;
use crate::mask::json::JsonMasker;
use crate::mask::maskers::mask;
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_all};
use crate::tar::{Member, for_error};

impl Pass<'_> {
    /// A document of the runtime's. One that is not JSON is searched under every rule.
    pub(super) fn document(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        if member.size > self.settings.max_document_bytes {
            return Err(Error::BadTar("a JSON document is too large"));
        }
        let mut text = read_all(body)?;
        ensure_complete(member.size - text.len() as u64)?;
        let name = for_error(&member.name);
        if !self.mask_json(&mut text, &[Place::Spec], Some(&name))? {
            self.unreadable.push(name);
            mask(self.rules, EVERYWHERE, &mut text, self.found);
        }
        self.write_front(member, out)?;
        out.put(&text)
    }

    /// An unknown member is searched under every rule; if it is JSON, it stays that.
    pub(super) fn unknown(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        self.write_front(member, out)?;
        if member.size > self.settings.max_document_bytes {
            return self.bytes(EVERYWHERE, body, out);
        }
        let mut text = read_all(body)?;
        let like_json = matches!(text.trim_ascii_start().first(), Some(b'{' | b'['));
        if !like_json || !self.mask_json(&mut text, EVERYWHERE, None)? {
            mask(self.rules, EVERYWHERE, &mut text, self.found);
        }
        out.put(&text)
    }

    fn mask_json(
        &mut self,
        text: &mut [u8],
        places: &'static [Place],
        document: Option<&str>,
    ) -> Result<bool, Error> {
        let mut masker = JsonMasker {
            rules: self.rules,
            places,
            mask: self.settings.mask,
            known: self.known,
            found: self.found,
            paths: document
                .zip(Some(&mut *self.paths))
                .map(|(name, paths)| (paths, name)),
        };
        masker.mask(text)
    }
}
