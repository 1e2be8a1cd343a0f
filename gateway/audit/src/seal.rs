//! What is signed, and what the log says of itself: heads, keys, segments.

use std::io;

use gateway_core::{Event, KeyChange, KeyRemoval, Record, SegmentStart, TreeHead};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chain::{Head, hex};
use crate::key::{PublicKey, SigningKey};
use crate::merkle::{Tree, leaf};

/// A signed tree head with its time: on its own, all that must be kept elsewhere to find later whether a log still begins
/// with the same records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// When it was signed.
    pub at: Timestamp,
    /// What was signed, and by which key.
    #[serde(flatten)]
    pub head: TreeHead,
}

impl SignedHead {
    /// Whether `key` signed it.
    pub fn signed_by(&self, key: &PublicKey) -> bool {
        let TreeHead {
            size,
            root,
            key: id,
            signature,
        } = &self.head;
        id == key.id() && key.signed(&head_text(*size, root, id, self.at), signature)
    }
}

/// What a head's signature is over. No value has a line's end within it, so no two heads have the same text.
fn head_text(size: u64, root: &str, key: &str, at: Timestamp) -> String {
    format!("checkpoint-gateway audit head v1\n{size}\n{root}\n{key}\n{at}\n")
}

/// What the signature over a new key is over.
fn key_text(size: u64, root: &str, key: &str, previous: &str, at: Timestamp) -> String {
    format!("checkpoint-gateway audit key v1\n{size}\n{root}\n{key}\n{previous}\n{at}\n")
}

/// What the signature under a key's removal is over.
fn removal_text(size: u64, root: &str, previous: &str, at: Timestamp) -> String {
    format!("checkpoint-gateway audit key-removed v1\n{size}\n{root}\n{previous}\n{at}\n")
}

/// Whether `previous` signed its own removal of that time.
pub(crate) fn resigns(previous: &PublicKey, removal: &KeyRemoval, at: Timestamp) -> bool {
    let text = removal_text(removal.size, &removal.root, previous.id(), at);
    removal.previous == previous.id()
        && removal
            .signature
            .as_deref()
            .is_some_and(|signature| previous.signed(&text, signature))
}

/// Whether `previous` signed the change of keys of that time.
pub(crate) fn vouches(previous: &PublicKey, change: &KeyChange, at: Timestamp) -> bool {
    let text = key_text(change.size, &change.root, &change.key, previous.id(), at);
    change.previous.as_deref() == Some(previous.id())
        && change
            .signature
            .as_deref()
            .is_some_and(|signature| previous.signed(&text, signature))
}

/// All that the next line depends on.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Where the chain goes on.
    pub(crate) head: Head,
    /// The tree of all lines so far.
    pub(crate) tree: Tree,
    /// The key that signs, by what the log says.
    pub(crate) key: Option<PublicKey>,
    /// How many lines no head covers, heads themselves aside.
    pub(crate) unsigned: u64,
}

impl State {
    /// Goes behind `line`, which is the next.
    pub(crate) fn pass(&mut self, line: &[u8]) {
        self.head = Head::behind(self.head.seq, line);
        self.tree.push(leaf(line));
        self.unsigned = self.unsigned.saturating_add(1);
    }

    /// Adds the record that is `body` as JSON to `lines`, and goes behind it. On an error, nothing has changed.
    pub(crate) fn extend(&mut self, body: &[u8], lines: &mut Vec<u8>) -> io::Result<()> {
        let line = self.head.line(body)?;
        self.pass(&line);
        lines.extend_from_slice(&line);
        lines.push(b'\n');
        Ok(())
    }

    /// Adds a head over all that is there.
    pub(crate) fn sign(
        &mut self,
        key: &SigningKey,
        at: Timestamp,
        lines: &mut Vec<u8>,
    ) -> io::Result<()> {
        let (size, root, id) = (
            self.tree.size(),
            hex(&self.tree.root()),
            key.public().id().to_owned(),
        );
        let signature = key.sign(&head_text(size, &root, &id, at));
        self.say(
            at,
            Event::Head(TreeHead {
                size,
                root,
                key: id,
                signature,
            }),
            lines,
        )?;
        self.unsigned = 0;
        Ok(())
    }

    /// Adds the key `new`, vouched for by `old` where that is the one that signed so far.
    pub(crate) fn introduce(
        &mut self,
        new: &PublicKey,
        old: Option<&SigningKey>,
        at: Timestamp,
        lines: &mut Vec<u8>,
    ) -> io::Result<()> {
        let (size, root, key) = (
            self.tree.size(),
            hex(&self.tree.root()),
            new.id().to_owned(),
        );
        let previous = self.key.as_ref().map(|key| key.id().to_owned());
        let old = old.filter(|old| self.key.as_ref() == Some(old.public()));
        let signature =
            old.map(|old| old.sign(&key_text(size, &root, &key, old.public().id(), at)));
        let change = KeyChange {
            size,
            root,
            key,
            public_key: new.encode(),
            previous,
            signature,
        };
        self.say(at, Event::Key(change), lines)?;
        self.key = Some(new.clone());
        Ok(())
    }

    /// Says that no key signs from here on, with the word of `old` where that is the one that signed so far.
    pub(crate) fn dismiss(
        &mut self,
        old: Option<&SigningKey>,
        at: Timestamp,
        lines: &mut Vec<u8>,
    ) -> io::Result<()> {
        let Some(previous) = self.key.as_ref().map(|key| key.id().to_owned()) else {
            return Ok(());
        };
        let (size, root) = (self.tree.size(), hex(&self.tree.root()));
        let old = old.filter(|old| self.key.as_ref() == Some(old.public()));
        let signature = old.map(|old| old.sign(&removal_text(size, &root, &previous, at)));
        self.say(
            at,
            Event::KeyRemoved(KeyRemoval {
                size,
                root,
                previous,
                signature,
            }),
            lines,
        )?;
        self.key = None;
        Ok(())
    }

    /// Adds the first line of a new file.
    pub(crate) fn begin_segment(&mut self, at: Timestamp, lines: &mut Vec<u8>) -> io::Result<()> {
        let public_key = self.key.as_ref().map(PublicKey::encode);
        self.say(
            at,
            Event::Segment(SegmentStart {
                frontier: self.tree.frontier(),
                public_key,
            }),
            lines,
        )
    }

    fn say(&mut self, at: Timestamp, event: Event, lines: &mut Vec<u8>) -> io::Result<()> {
        self.extend(&serde_json::to_vec(&Record::of_log(at, event))?, lines)
    }
}
