//! The share of every quota that one expected checkpoint uses.

use std::mem;
use std::sync::Arc;

use gateway_core::Target;

use crate::catalog::Catalog;
use crate::entry::Entry;
use crate::index::Index;
use crate::quota::Usage;

/// The usage of one expected checkpoint, counted in every quota. Dropped, it is no longer counted.
#[derive(Debug)]
pub(crate) struct QuotaReservation {
    catalog: Arc<Catalog>,
    target: Target,
    usage: Usage,
}

impl QuotaReservation {
    /// Counts from now on; `index` is the catalog's.
    pub(crate) fn new(
        catalog: &Arc<Catalog>,
        index: &mut Index,
        target: &Target,
        usage: Usage,
    ) -> Self {
        index.count(target, usage);
        Self {
            catalog: Arc::clone(catalog),
            target: target.clone(),
            usage,
        }
    }

    /// The checkpoint is published: from now on it counts in place of the reservation, with no moment between.
    pub(crate) fn publish(mut self, entry: Entry) {
        let mut index = self.catalog.index();
        index.uncount(&self.target, mem::take(&mut self.usage));
        index.insert(entry);
    }
}

impl Drop for QuotaReservation {
    fn drop(&mut self) {
        if self.usage != Usage::default() {
            self.catalog.index().uncount(&self.target, self.usage);
        }
    }
}
