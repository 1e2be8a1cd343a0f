//! Shows a checkpoint's metadata and the contents of its archive: processes, names of variables, mounts.

use gateway_core::{CheckpointId, Inspection};
use gateway_redact::Owner;
use http::Response;
use tracing::{Instrument, info_span};

use super::Access;
use super::permit::AccessPermit;
use crate::Error;
use crate::bodies::InspectedCheckpoint;
use crate::reply::{self, Body};

impl Access {
    pub(super) async fn inspect(&self, permit: AccessPermit) -> Result<Response<Body>, Error> {
        let reading = self.read_archive(permit.id());
        let mut inspection = reading.instrument(info_span!("inspect")).await?;
        // What the redaction has learnt is masked in the archive itself.
        let texts = permit.call().context().hidden().texts();
        texts.mask_arguments(&mut inspection.processes);
        // Shown only once it is on record.
        self.write_outcome(&permit, permit.outcome(Ok(200))).await?;
        reply::json(&InspectedCheckpoint {
            checkpoint: permit.checkpoint(),
            inspection,
        })
    }

    async fn read_archive(&self, id: CheckpointId) -> Result<Inspection, Error> {
        let store = self.store.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let Some((checkpoint, mut file)) = store.open_archive(id)? else {
                return Ok(None);
            };
            let owner = Owner {
                target: &checkpoint.target,
                pod_uid: &checkpoint.pod_uid,
                named_by: "the metadata",
            };
            let inspection = gateway_redact::inspect(&mut file, Some(owner));
            inspection.map(Some).map_err(gateway_archive::Error::from)
        });
        let inspection = reading.await.map_err(|_| Error::Internal)??;
        inspection.ok_or(Error::NoCheckpoint)
    }
}
