//! Builds the lines of one write: the requested records, and the heads and key changes among them.

use std::io;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::settings::Signing;
use crate::state::LogState;
use crate::work::Work;

/// Lines to be written, and what follows from them once they are durable.
pub(crate) struct Batch {
    /// The lines.
    pub(crate) lines: Vec<u8>,
    /// The state after the lines.
    pub(crate) state: LogState,
    /// The keys that sign after the lines.
    pub(crate) signing: Option<Signing>,
}

impl Batch {
    /// An empty batch after `state`.
    pub(crate) fn new(state: LogState, signing: Option<Signing>) -> Self {
        Self {
            lines: Vec::new(),
            state,
            signing,
        }
    }

    /// Adds the lines for `work`, and a signed head if one is due. After an error, nothing of a record was added.
    pub(crate) fn add(&mut self, work: &Work) -> io::Result<()> {
        match work {
            Work::Record(body) => {
                self.state.add_record(body, &mut self.lines)?;
                let due = |signing: &Signing| self.state.unsigned >= signing.records.get();
                if self.signing.as_ref().is_some_and(due) {
                    self.sign_head(Timestamp::now())?;
                }
            }
            Work::SignHead => self.sign_head(Timestamp::now())?,
            Work::ChangeKey { signing, changed } => {
                changed.store(self.change_key(signing.as_ref())?, Ordering::Relaxed);
                self.signing.clone_from(signing);
            }
            Work::Probe => {}
        }
        Ok(())
    }

    /// Signs what no head covers yet. Without a key this does nothing.
    fn sign_head(&mut self, at: Timestamp) -> io::Result<()> {
        match &self.signing {
            Some(signing) if self.state.unsigned > 0 => {
                self.state.add_head(&signing.key, at, &mut self.lines)
            }
            _ => Ok(()),
        }
    }

    /// Records that `next` signs from here on. The key before it signs the lines so far and the change. Returns whether
    /// `next` is another key.
    fn change_key(&mut self, next: Option<&Signing>) -> io::Result<bool> {
        if self.state.key.as_ref() == next.map(|next| next.key.public()) {
            return Ok(false);
        }
        let at = Timestamp::now();
        self.sign_head(at)?;
        let old = self.signing.as_ref().map(|signing| &*signing.key);
        match next {
            Some(next) => {
                let old = old.or(next.previous.as_deref());
                self.state
                    .add_key(next.key.public(), old, at, &mut self.lines)?;
            }
            None => self.state.add_key_removal(old, at, &mut self.lines)?,
        }
        Ok(true)
    }
}
