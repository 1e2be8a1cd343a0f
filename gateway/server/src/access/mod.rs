//! Access to stored checkpoints: list, inspect, download, delete, hold and release. Each is an action of its own to the
//! policies, and goes on record.

mod body;
mod call;
mod change;
mod download;
mod inspect;
mod list;
mod parcel;
mod permit;
mod range;

use std::sync::Arc;

use gateway_archive::Store;
use gateway_core::Action;
use gateway_redact::RedactionSettings;
use http::Response;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::audit_writer::AuditWriter;
use crate::policies::ActivePolicies;
use crate::reply::Body;
use crate::route::Route;
use crate::telemetry::Metrics;

pub(crate) use call::AccessCall;
pub(crate) use download::Sending;

/// Answers calls about stored checkpoints.
#[derive(Clone)]
pub(crate) struct Access {
    store: Store,
    redaction: RedactionSettings,
    policies: Arc<ActivePolicies>,
    audit: AuditWriter,
    metrics: Arc<Metrics>,
    abort: CancellationToken,
}

impl Access {
    /// `abort` is cancelled when the gateway cannot wait for running downloads any longer.
    pub(crate) fn new(
        store: Store,
        redaction: RedactionSettings,
        policies: Arc<ActivePolicies>,
        audit: AuditWriter,
        metrics: Arc<Metrics>,
        abort: CancellationToken,
    ) -> Self {
        Self {
            store,
            redaction,
            policies,
            audit,
            metrics,
            abort,
        }
    }

    /// Answers `call`; `sending` carries out downloads, which outlast this function.
    pub(crate) async fn answer(
        &self,
        call: AccessCall,
        route: Route,
        sending: &Sending,
    ) -> Result<Response<Body>, Error> {
        match route {
            Route::List(query) => self.list(&call, query).await,
            Route::Inspect(id) => {
                let permit = self.permit(call, id, Action::Inspect).await?;
                self.inspect(permit).await
            }
            Route::Download { id, original } => {
                let action = if original {
                    Action::DownloadOriginal
                } else {
                    Action::Download
                };
                let permit = self.permit(call, id, action).await?;
                self.download(permit, sending).await
            }
            Route::Delete(id) => {
                let permit = self.permit(call, id, Action::Delete).await?;
                self.delete(permit).await
            }
            Route::Hold(id) => {
                let permit = self.permit(call, id, Action::Hold).await?;
                self.hold(permit).await
            }
            Route::Release(id) => {
                let permit = self.permit(call, id, Action::Hold).await?;
                self.release(permit).await
            }
            Route::Checkpoint { .. } | Route::WhoAmI | Route::OpenApi => Err(Error::Internal),
        }
    }
}
