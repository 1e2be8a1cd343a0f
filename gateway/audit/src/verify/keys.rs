//! Checks the log's statements about itself: signed heads, key changes, segment starts.

use gateway_core::{Event, KeyChange, KeyRemoval, Record, SegmentStart, TreeHead};
use jiff::Timestamp;

use super::error::VerifyError;
use super::location::Location;
use super::verified::Trust;
use crate::fault::Fault;
use crate::key::PublicKey;
use crate::merkle::Tree;
use crate::signature::{SignedHead, change_signed_by, removal_signed_by};

/// The most keys, and the most unproven changes, that are remembered.
const MAX_REMEMBERED: usize = 64;

/// A key that the log names.
#[derive(Debug, Clone)]
struct NamedKey {
    public: PublicKey,
    /// Whether it was given, or a trusted key vouches for it.
    trusted: bool,
}

/// The result of checking a log's signatures.
pub(super) struct Signatures {
    pub(super) trust: Trust,
    /// The last signed head.
    pub(super) last: Option<SignedHead>,
    /// The numbers of changes of the key without a signature by the key before.
    pub(super) unproven: Vec<u64>,
    /// The number of the record that removed the key, if no key followed.
    pub(super) keyless: Option<u64>,
}

/// The keys of a log, up to the line that was read last.
pub(super) struct KeyHistory<'a> {
    given: &'a [PublicKey],
    /// All keys that have been in force, the latest last.
    named: Vec<NamedKey>,
    /// The number of the record that removed the latest key, if it was removed.
    keyless: Option<u64>,
    last: Option<SignedHead>,
    /// The first untrusted signature after the last trusted head.
    untrusted: Option<Location>,
    /// The number of the first record that no signed head covers.
    since: u64,
    unproven: Vec<u64>,
}

impl<'a> KeyHistory<'a> {
    pub(super) fn new(given: &'a [PublicKey]) -> Self {
        Self {
            given,
            named: Vec::new(),
            keyless: None,
            last: None,
            untrusted: None,
            since: 0,
            unproven: Vec::new(),
        }
    }

    /// The number of the first record that no signed head covers.
    pub(super) fn since(&self) -> u64 {
        self.since
    }

    /// Takes over the key from the first line of a later file, with which the log begins at `seq`.
    pub(super) fn start_from_segment(&mut self, start: &SegmentStart, seq: u64) {
        self.since = seq;
        let named = start.public_key.as_deref();
        if let Some(public) = named.and_then(PublicKey::from_base64) {
            let trusted = self.given.contains(&public);
            self.put_in_force(public, trusted);
        }
    }

    /// Checks a record of the log about itself against `tree`, the tree of the lines before it.
    pub(super) fn check(
        &mut self,
        record: Record,
        tree: &Tree,
        location: &Location,
    ) -> Result<(), Fault> {
        let at = record.at;
        match record.event {
            Event::Head(head) => self.check_head(head, at, tree, location),
            Event::Key(change) => self.check_change(&change, at, tree, location),
            Event::KeyRemoved(removal) => self.check_removal(&removal, at, tree),
            Event::Segment(start) => self.check_segment(&start, tree),
            _ => Err(Fault::NotARecord),
        }
    }

    fn check_segment(&self, start: &SegmentStart, tree: &Tree) -> Result<(), Fault> {
        if start.frontier != tree.frontier_hex() {
            return Err(self.wrong_root());
        }
        let key = self.in_force().map(|key| key.public.to_base64());
        if start.public_key == key {
            Ok(())
        } else {
            Err(Fault::WrongKey)
        }
    }

    fn check_head(
        &mut self,
        head: TreeHead,
        at: Timestamp,
        tree: &Tree,
        location: &Location,
    ) -> Result<(), Fault> {
        self.check_root(head.size, &head.root, tree)?;
        let key = self.in_force().filter(|key| key.public.id() == head.key);
        let key = key.ok_or(Fault::WrongKey)?;
        let head = SignedHead { at, head };
        if !head.signed_by(&key.public) {
            return Err(Fault::BadSignature);
        }
        self.note_trust(key.trusted, location);
        (self.since, self.last) = (head.head.size, Some(head));
        Ok(())
    }

    fn check_change(
        &mut self,
        change: &KeyChange,
        at: Timestamp,
        tree: &Tree,
        location: &Location,
    ) -> Result<(), Fault> {
        self.check_root(change.size, &change.root, tree)?;
        let public = PublicKey::from_base64(&change.public_key);
        let public = public.filter(|key| key.id() == change.key);
        let public = public.ok_or(Fault::NotARecord)?;
        let previous = self.in_force();
        if change.previous.as_deref() != previous.map(|key| key.public.id()) {
            return Err(Fault::WrongKey);
        }
        let vouched = previous.is_some_and(|key| change_signed_by(&key.public, change, at));
        if change.signature.is_some() && !vouched {
            return Err(Fault::BadSignature);
        }
        let trusted = self.given.contains(&public)
            || (vouched && previous.is_some_and(|previous| previous.trusted));
        // The first key has none before it. A key after a removal has one, which cannot vouch for it any more.
        if !self.named.is_empty() && !vouched {
            self.note_unproven(change.size);
        }
        if !trusted {
            self.note_trust(false, location);
        }
        self.put_in_force(public, trusted);
        Ok(())
    }

    /// A removal without a signature is reported, but is not a fault: it is no worse than a log that continues without
    /// heads.
    fn check_removal(
        &mut self,
        removal: &KeyRemoval,
        at: Timestamp,
        tree: &Tree,
    ) -> Result<(), Fault> {
        self.check_root(removal.size, &removal.root, tree)?;
        let key = self.in_force();
        let key = key.filter(|key| key.public.id() == removal.previous);
        let signed = removal_signed_by(&key.ok_or(Fault::WrongKey)?.public, removal, at);
        if removal.signature.is_some() && !signed {
            return Err(Fault::BadSignature);
        }
        if !signed {
            self.note_unproven(removal.size);
        }
        self.keyless = Some(removal.size);
        Ok(())
    }

    /// Checks that a statement about the lines before it matches them.
    fn check_root(&self, size: u64, root: &str, tree: &Tree) -> Result<(), Fault> {
        if size == tree.size() && root == tree.root_hex() {
            Ok(())
        } else {
            Err(self.wrong_root())
        }
    }

    /// Checks that a kept head is signed by a trusted key; by a key that the log names if none was given.
    pub(super) fn check_kept(&self, kept: &SignedHead) -> Result<(), VerifyError> {
        let named = self
            .named
            .iter()
            .filter(|named| named.trusted || self.given.is_empty());
        let mut keys = self.given.iter().chain(named.map(|named| &named.public));
        if keys.any(|key| kept.signed_by(key)) {
            return Ok(());
        }
        Err(VerifyError::UntrustedHead {
            key: kept.head.key.chars().take(64).collect(),
        })
    }

    /// Decides at the end of the log whom its signatures are from.
    pub(super) fn finish(self) -> Result<Signatures, VerifyError> {
        let trust = match (&self.last, self.given) {
            (None, []) => Trust::Unsigned,
            (None, _) => return Err(VerifyError::NoTrustedHead),
            (Some(_), []) => Trust::Named,
            (Some(_), _) => match self.untrusted {
                Some(location) => return Err(location.broken(Fault::UntrustedKey)),
                None => Trust::Given,
            },
        };
        Ok(Signatures {
            trust,
            last: self.last,
            unproven: self.unproven,
            keyless: self.keyless,
        })
    }

    fn in_force(&self) -> Option<&NamedKey> {
        self.named.last().filter(|_| self.keyless.is_none())
    }

    fn put_in_force(&mut self, public: PublicKey, trusted: bool) {
        self.keyless = None;
        if self.named.len() >= MAX_REMEMBERED {
            self.named.remove(0);
        }
        self.named.push(NamedKey { public, trusted });
    }

    /// A trusted head covers everything before it, whoever signed that.
    fn note_trust(&mut self, trusted: bool, location: &Location) {
        if trusted {
            self.untrusted = None;
        } else {
            self.untrusted.get_or_insert_with(|| location.clone());
        }
    }

    fn note_unproven(&mut self, seq: u64) {
        if self.unproven.len() < MAX_REMEMBERED {
            self.unproven.push(seq);
        }
    }

    fn wrong_root(&self) -> Fault {
        Fault::WrongRoot { since: self.since }
    }
}
