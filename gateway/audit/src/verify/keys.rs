use gateway_core::{KeyChange, KeyRemoval, SegmentStart, TreeHead};
use jiff::Timestamp;

use super::walk::Place;
use super::{Fault, Trust, Verified, VerifyError};
use crate::chain::hex;
use crate::key::PublicKey;
use crate::merkle::Tree;
use crate::seal::{SignedHead, resigns, vouches};

/// How many keys, and how many changes without proof, are remembered.
const MOST: usize = 64;

/// A key that the log names.
#[derive(Debug, Clone)]
struct Named {
    public: PublicKey,
    /// Whether it was given, or one that was vouches for it.
    trusted: bool,
}

/// Who signs the log, along the way.
pub(super) struct Keys<'a> {
    given: &'a [PublicKey],
    /// All that were in force, the one that is so now last.
    named: Vec<Named>,
    /// Where the last one was taken away.
    keyless: Option<u64>,
    last: Option<SignedHead>,
    /// The first of the signatures behind the last trusted head that are not.
    distrusted: Option<Place>,
    /// Before this place, all records are what was signed.
    since: u64,
    unproven: Vec<u64>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(given: &'a [PublicKey]) -> Self {
        Self {
            given,
            named: Vec::new(),
            keyless: None,
            last: None,
            distrusted: None,
            since: 0,
            unproven: Vec::new(),
        }
    }

    /// The first record that no head covers.
    pub(super) fn since(&self) -> u64 {
        self.since
    }

    fn now(&self) -> Option<&Named> {
        self.named.last().filter(|_| self.keyless.is_none())
    }

    fn name(&mut self, public: PublicKey, trusted: bool) {
        self.keyless = None;
        if self.named.len() >= MOST {
            self.named.remove(0);
        }
        self.named.push(Named { public, trusted });
    }

    /// The log begins with a later file, at `seq`: nobody vouches for what that says.
    pub(super) fn begin(&mut self, start: &SegmentStart, seq: u64) {
        self.since = seq;
        if let Some(public) = start.public_key.as_deref().and_then(PublicKey::decode) {
            let trusted = self.given.contains(&public);
            self.name(public, trusted);
        }
    }

    pub(super) fn segment(&self, start: &SegmentStart, tree: &Tree) -> Result<(), Fault> {
        if start.frontier != tree.frontier() {
            return Err(Fault::Root { since: self.since });
        }
        let key = self.now().map(|now| now.public.encode());
        if start.public_key == key {
            Ok(())
        } else {
            Err(Fault::Key)
        }
    }

    pub(super) fn head(
        &mut self,
        head: TreeHead,
        at: Timestamp,
        tree: &Tree,
        place: &Place,
    ) -> Result<(), Fault> {
        self.of_this_log(head.size, &head.root, tree)?;
        let Some(now) = self.now().filter(|now| now.public.id() == head.key) else {
            return Err(Fault::Key);
        };
        let head = SignedHead { at, head };
        if !head.signed_by(&now.public) {
            return Err(Fault::Signature);
        }
        self.judge(now.trusted, place);
        (self.since, self.last) = (head.head.size, Some(head));
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        change: &KeyChange,
        at: Timestamp,
        tree: &Tree,
        place: &Place,
    ) -> Result<(), Fault> {
        self.of_this_log(change.size, &change.root, tree)?;
        let public = PublicKey::decode(&change.public_key).filter(|key| key.id() == change.key);
        let public = public.ok_or(Fault::Foreign)?;
        let previous = self.now().map(|now| now.public.id());
        if change.previous.as_deref() != previous {
            return Err(Fault::Key);
        }
        let vouched = self
            .now()
            .is_some_and(|now| vouches(&now.public, change, at));
        if change.signature.is_some() && !vouched {
            return Err(Fault::Signature);
        }
        // The first key has none before it; one that follows a removal has, and that is gone.
        if !self.named.is_empty() && !vouched {
            self.unproven(change.size);
        }
        let trusted =
            self.given.contains(&public) || (vouched && self.now().is_some_and(|now| now.trusted));
        if !trusted {
            self.judge(false, place);
        }
        self.name(public, trusted);
        Ok(())
    }

    /// Whatever follows, no head covers it, and so it is said: a removal without proof is no worse than a log that goes on
    /// without heads.
    pub(super) fn removal(
        &mut self,
        removal: &KeyRemoval,
        at: Timestamp,
        tree: &Tree,
    ) -> Result<(), Fault> {
        self.of_this_log(removal.size, &removal.root, tree)?;
        let now = self
            .now()
            .filter(|now| now.public.id() == removal.previous)
            .ok_or(Fault::Key)?;
        let resigned = resigns(&now.public, removal, at);
        if removal.signature.is_some() && !resigned {
            return Err(Fault::Signature);
        }
        if !resigned {
            self.unproven(removal.size);
        }
        self.keyless = Some(removal.size);
        Ok(())
    }

    fn unproven(&mut self, seq: u64) {
        if self.unproven.len() < MOST {
            self.unproven.push(seq);
        }
    }

    /// Whether what a record says of the log before it is so.
    fn of_this_log(&self, size: u64, root: &str, tree: &Tree) -> Result<(), Fault> {
        let holds = size == tree.size() && root == hex(&tree.root());
        if holds {
            Ok(())
        } else {
            Err(Fault::Root { since: self.since })
        }
    }

    /// A trusted head covers all that is before it, whoever signed that.
    fn judge(&mut self, trusted: bool, place: &Place) {
        if trusted {
            self.distrusted = None;
        } else {
            self.distrusted.get_or_insert_with(|| place.clone());
        }
    }

    /// Whether a head that was kept is signed by a key that counts.
    pub(super) fn kept(&self, kept: &SignedHead) -> Result<(), VerifyError> {
        let named = self
            .named
            .iter()
            .filter(|named| named.trusted || self.given.is_empty());
        let mut keys = self.given.iter().chain(named.map(|named| &named.public));
        if keys.any(|key| kept.signed_by(key)) {
            return Ok(());
        }
        Err(VerifyError::Forged {
            key: kept.head.key.chars().take(64).collect(),
        })
    }

    pub(super) fn end(self, verified: &mut Verified) -> Result<(), VerifyError> {
        verified.trust = match (&self.last, self.given) {
            (None, []) => Trust::Unsigned,
            (None, _) => return Err(VerifyError::Unsigned),
            (Some(_), []) => Trust::Named,
            (Some(_), _) => match self.distrusted {
                Some(place) => return Err(place.broken(Fault::Untrusted)),
                None => Trust::Given,
            },
        };
        (verified.signed, verified.unproven, verified.keyless) =
            (self.last, self.unproven, self.keyless);
        Ok(())
    }
}
