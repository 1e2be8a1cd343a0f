//! New ids of checkpoints. Lists and quotas rely on their order, so a new id never sorts before a stored one, even if the
//! clock was set back.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use gateway_core::CheckpointId;
use uuid::{ContextV7, Timestamp, Uuid};

/// The first millisecond that does not fit into a UUID of version 7.
const END: u64 = 1 << 48;

/// Generates ids, each of which sorts after all before it. The context keeps the latest time it has seen, and counts on from
/// there while the clock is behind it.
#[derive(Debug)]
pub(crate) struct CheckpointIds(Mutex<AssertUnwindSafe<ContextV7>>);

impl CheckpointIds {
    /// Ids that sort after `newest`, the newest stored checkpoint: the clock may have been set back since.
    pub(crate) fn after(newest: Option<CheckpointId>) -> Self {
        let ids = Self(Mutex::new(AssertUnwindSafe(ContextV7::new())));
        let time = newest.and_then(|newest| Uuid::from(newest).get_timestamp());
        let millisecond = time.map(|time| {
            let (seconds, nanoseconds) = time.to_unix();
            seconds
                .saturating_mul(1000)
                .saturating_add(u64::from(nanoseconds / 1_000_000))
                .saturating_add(1)
        });
        if let Some(next) = millisecond.filter(|next| *next < END) {
            let nanoseconds = u32::try_from(next % 1000).unwrap_or_default() * 1_000_000;
            let _ = Timestamp::from_unix(&ids.0, next / 1000, nanoseconds);
        }
        ids
    }

    pub(crate) fn next(&self) -> CheckpointId {
        Uuid::new_v7(Timestamp::now(&self.0)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::NoContext;

    fn now() -> u64 {
        Uuid::now_v7().get_timestamp().unwrap().to_unix().0
    }

    #[test]
    fn ids_keep_their_order_while_the_clock_is_behind() {
        let newest: CheckpointId =
            Uuid::new_v7(Timestamp::from_unix(NoContext, now() + 3600, 999_999_999)).into();
        let ids = CheckpointIds::after(Some(newest));
        let given: Vec<_> = (0..1000).map(|_| ids.next()).collect();
        assert!(given[0] > newest && given.is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn ids_follow_the_clock_once_it_is_ahead() {
        for newest in [
            None,
            Some(Uuid::new_v7(Timestamp::from_unix(NoContext, 1, 0)).into()),
            Some(Uuid::max().into()),
        ] {
            let began = now();
            let id = Uuid::from(CheckpointIds::after(newest).next());
            assert!(
                (began..=now()).contains(&id.get_timestamp().unwrap().to_unix().0),
                "{newest:?}"
            );
        }
    }
}
