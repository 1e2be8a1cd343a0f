//! Compares a log with the head and the anchor that are expected.

use super::error::VerifyError;
use super::expected::{Anchor, Expected, KeptHead};
use crate::chain::ChainHead;
use crate::merkle::Tree;
use crate::signature::SignedHead;

/// The comparison with what is expected, line by line.
pub(super) struct Comparison<'a> {
    anchor: Option<&'a Anchor>,
    head: Option<&'a KeptHead>,
    /// The number of records that the kept head covers, once the log has reached it.
    pub(super) covered: Option<u64>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(expected: &'a Expected) -> Self {
        Self {
            anchor: expected.anchor.as_ref(),
            head: expected.head.as_ref(),
            covered: None,
        }
    }

    /// Checks that a log may begin at `start`, which is not its first line.
    pub(super) fn check_start(&mut self, start: &Anchor) -> Result<(), VerifyError> {
        match self.anchor {
            None => return Err(VerifyError::MissingStart(start.clone())),
            Some(anchor) if anchor != start => {
                return Err(VerifyError::AnchorNotFound(anchor.clone()));
            }
            Some(_) => {}
        }
        self.covered = None;
        match self.head {
            Some(KeptHead::Signed(kept)) if kept.head.size < start.seq => {
                Err(VerifyError::HeadBeforeStart {
                    size: kept.head.size,
                    begins: start.seq,
                })
            }
            _ => Ok(()),
        }
    }

    /// Compares the chain's end `head` with the anchor and with a kept digest.
    pub(super) fn check_chain(&mut self, head: &ChainHead) -> Result<(), VerifyError> {
        if let Some(anchor) = self.anchor
            && anchor.seq == head.seq
            && anchor.prev != head.digest
        {
            return Err(VerifyError::AnchorNotFound(anchor.clone()));
        }
        if let Some(KeptHead::Digest(kept)) = self.head
            && kept.eq_ignore_ascii_case(&head.digest)
        {
            self.covered = Some(head.seq);
        }
        Ok(())
    }

    /// Compares `tree` with a kept tree head. Records before `since` are covered by a signed head.
    pub(super) fn check_tree(&mut self, tree: &Tree, since: u64) -> Result<(), VerifyError> {
        let Some(KeptHead::Signed(kept)) = self.head else {
            return Ok(());
        };
        let size = kept.head.size;
        if size != tree.size() {
            return Ok(());
        }
        if !kept.head.root.eq_ignore_ascii_case(&tree.root_hex()) {
            return Err(VerifyError::Fork { size, since });
        }
        self.covered = Some(size);
        Ok(())
    }

    /// Checks at the end of the log, after `records` records, that the anchor and the kept head were reached. Returns the
    /// kept tree head, whose signature is still to be checked.
    pub(super) fn finish(&self, records: u64) -> Result<Option<&'a SignedHead>, VerifyError> {
        if let Some(anchor) = self.anchor
            && anchor.seq > records
        {
            return Err(VerifyError::AnchorNotFound(anchor.clone()));
        }
        match self.head {
            Some(KeptHead::Digest(head)) if self.covered.is_none() => {
                Err(VerifyError::HeadNotFound {
                    head: head.clone(),
                    records,
                })
            }
            Some(KeptHead::Signed(kept)) if self.covered.is_none() => Err(VerifyError::TooShort {
                size: kept.head.size,
                records,
            }),
            Some(KeptHead::Signed(kept)) => Ok(Some(kept)),
            _ => Ok(None),
        }
    }
}
