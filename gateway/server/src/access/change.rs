//! Changes a stored checkpoint: deletes, holds or releases it.

use gateway_archive::Store;
use gateway_core::{Checkpoint, Hold, Outcome};
use http::{Response, StatusCode};

use super::Access;
use super::permit::AccessPermit;
use crate::Error;
use crate::bodies::HeldCheckpoint;
use crate::reply::{self, Body};

impl Access {
    pub(super) async fn delete(&self, permit: AccessPermit) -> Result<Response<Body>, Error> {
        let id = permit.id();
        let status = StatusCode::NO_CONTENT;
        self.change(permit, status, move |store| store.delete(id))
            .await?;
        Ok(reply::empty(status))
    }

    pub(super) async fn hold(&self, permit: AccessPermit) -> Result<Response<Body>, Error> {
        let (id, context) = (permit.id(), permit.call().context());
        let hold = Hold {
            by: permit.call().caller().identity().user.clone(),
            at: context.received_at(),
            reason: context.shown_reason(),
        };
        let changed = self
            .change(permit, StatusCode::OK, move |store| store.hold(id, &hold))
            .await?;
        // The store has just written the hold.
        let hold = changed.hold.as_ref().ok_or(Error::Internal)?;
        reply::json(&HeldCheckpoint {
            id: changed.id,
            hold,
        })
    }

    pub(super) async fn release(&self, permit: AccessPermit) -> Result<Response<Body>, Error> {
        let id = permit.id();
        let status = StatusCode::NO_CONTENT;
        self.change(permit, status, move |store| store.release(id))
            .await?;
        Ok(reply::empty(status))
    }

    /// Makes a change, after its intent is on record.
    async fn change(
        &self,
        permit: AccessPermit,
        status: StatusCode,
        change: impl FnOnce(&Store) -> Result<Option<Checkpoint>, gateway_archive::Error>
        + Send
        + 'static,
    ) -> Result<Checkpoint, Error> {
        self.write_intent(&permit).await?;
        let store = self.store.clone();
        let changed = tokio::task::spawn_blocking(move || change(&store))
            .await
            .map_err(|_| Error::Internal)?;
        let changed = changed
            .map_err(Error::from)
            .and_then(|found| found.ok_or(Error::NoCheckpoint));
        let outcome = Outcome {
            request: None,
            ..permit.outcome(changed.as_ref().map(|_| status.as_u16()))
        };
        // A lost record is logged and counted there; the change is made, and the intent is on record.
        let _ = self.write_outcome(&permit, outcome).await;
        changed
    }
}
