//! The state of a log after its last line, and the lines that the log writes about itself: heads, keys, segments.

use std::io;

use gateway_core::{Event, KeyChange, KeyRemoval, Record, SegmentStart, TreeHead};
use jiff::Timestamp;

use crate::chain::ChainHead;
use crate::key::{PublicKey, SigningKey};
use crate::merkle::{Tree, leaf_hash};
use crate::signature::{head_text, key_text, removal_text};

/// Everything that the next line depends on.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogState {
    /// The end of the chain.
    pub(crate) head: ChainHead,
    /// The tree of all lines so far.
    pub(crate) tree: Tree,
    /// The key in force, as the log names it.
    pub(crate) key: Option<PublicKey>,
    /// The number of lines after the last signed head.
    pub(crate) unsigned: u64,
}

impl LogState {
    /// Advances over `line`, which is the next one.
    pub(crate) fn advance(&mut self, line: &[u8]) {
        self.head = ChainHead::after(self.head.seq, line);
        self.tree.push(leaf_hash(line));
        self.unsigned = self.unsigned.saturating_add(1);
    }

    /// Appends the record whose JSON is `body` to `lines`. After an error, nothing has changed.
    pub(crate) fn add_record(&mut self, body: &[u8], lines: &mut Vec<u8>) -> io::Result<()> {
        let line = self.head.next_line(body)?;
        self.advance(&line);
        lines.extend_from_slice(&line);
        lines.push(b'\n');
        Ok(())
    }

    /// Appends a head over all lines so far, signed by `key`.
    pub(crate) fn add_head(
        &mut self,
        key: &SigningKey,
        at: Timestamp,
        lines: &mut Vec<u8>,
    ) -> io::Result<()> {
        let (size, root) = (self.tree.size(), self.tree.root_hex());
        let id = key.public().id().to_owned();
        let signature = key.sign(&head_text(size, &root, &id, at));
        let head = TreeHead {
            size,
            root,
            key: id,
            signature,
        };
        self.add_event(at, Event::Head(head), lines)?;
        self.unsigned = 0;
        Ok(())
    }

    /// Appends the change to the key `new`. `old` vouches for it if it is the key in force.
    pub(crate) fn add_key(
        &mut self,
        new: &PublicKey,
        old: Option<&SigningKey>,
        at: Timestamp,
        lines: &mut Vec<u8>,
    ) -> io::Result<()> {
        let (size, root) = (self.tree.size(), self.tree.root_hex());
        let key = new.id().to_owned();
        let signature = self
            .if_in_force(old)
            .map(|old| old.sign(&key_text(size, &root, &key, old.public().id(), at)));
        let change = KeyChange {
            size,
            root,
            key,
            public_key: new.to_base64(),
            previous: self.key_id(),
            signature,
        };
        self.add_event(at, Event::Key(change), lines)?;
        self.key = Some(new.clone());
        Ok(())
    }

    /// Appends the removal of the key in force, if there is one. `old` signs the removal if it is that key.
    pub(crate) fn add_key_removal(
        &mut self,
        old: Option<&SigningKey>,
        at: Timestamp,
        lines: &mut Vec<u8>,
    ) -> io::Result<()> {
        let Some(previous) = self.key_id() else {
            return Ok(());
        };
        let (size, root) = (self.tree.size(), self.tree.root_hex());
        let signature = self
            .if_in_force(old)
            .map(|old| old.sign(&removal_text(size, &root, &previous, at)));
        let removal = KeyRemoval {
            size,
            root,
            previous,
            signature,
        };
        self.add_event(at, Event::KeyRemoved(removal), lines)?;
        self.key = None;
        Ok(())
    }

    /// Appends the first line of a new file.
    pub(crate) fn add_segment_start(
        &mut self,
        at: Timestamp,
        lines: &mut Vec<u8>,
    ) -> io::Result<()> {
        let start = SegmentStart {
            frontier: self.tree.frontier_hex(),
            public_key: self.key.as_ref().map(PublicKey::to_base64),
        };
        self.add_event(at, Event::Segment(start), lines)
    }

    fn add_event(&mut self, at: Timestamp, event: Event, lines: &mut Vec<u8>) -> io::Result<()> {
        self.add_record(&serde_json::to_vec(&Record::of_log(at, event))?, lines)
    }

    fn key_id(&self) -> Option<String> {
        self.key.as_ref().map(|key| key.id().to_owned())
    }

    fn if_in_force<'k>(&self, key: Option<&'k SigningKey>) -> Option<&'k SigningKey> {
        key.filter(|key| self.key.as_ref() == Some(key.public()))
    }
}
