//! Lists the stored checkpoints that the caller may see.

use std::sync::Arc;

use gateway_archive::{Filter, Store};
use gateway_core::{Action, Checkpoint, CheckpointId, Container, Listed, Outcome, Request};
use gateway_policy::Policies;
use http::Response;
use tracing::{Instrument, info_span, warn};

use super::{Access, AccessCall};
use crate::bodies::CheckpointPage;
use crate::error_chain::cause;
use crate::query::Query;
use crate::reply::{self, Body};
use crate::{Error, audit_records};

/// The most checkpoints that policies are asked about for one page.
const ASKED_MAX: usize = 2000;

impl Access {
    /// Answers with the checkpoints that the caller may see. Policies are asked about each.
    pub(super) async fn list(
        &self,
        call: &AccessCall,
        query: Query,
    ) -> Result<Response<Body>, Error> {
        let listing = Listing {
            store: self.store.clone(),
            policies: self.policies.current(),
            query,
        };
        let request = call.policy_request(Action::List);
        let reading = tokio::task::spawn_blocking(move || listing.page(request));
        let page = reading
            .instrument(info_span!("list"))
            .await
            .map_err(|_| Error::Internal)??;
        let context = call.context();
        let outcome = Outcome {
            status: 200,
            listed: Some(Listed {
                asked: page.asked as u64,
                shown: page.shown.len() as u64,
            }),
            ..audit_records::outcome(context, &context.visible())
        };
        context.set_outcome_recorded();
        self.audit.write_outcome(context.ids(), outcome).await?;
        reply::json(&CheckpointPage {
            items: page.shown,
            next: page.next,
        })
    }
}

/// One page of the checkpoints that the caller may see.
struct Page {
    shown: Vec<Checkpoint>,
    /// Where the next page begins; absent where this is the last.
    next: Option<CheckpointId>,
    /// How many checkpoints the policies were asked about.
    asked: usize,
}

/// A list that a caller asks for.
struct Listing {
    store: Store,
    policies: Arc<Policies>,
    query: Query,
}

impl Listing {
    fn page(&self, request: impl Fn(&Checkpoint, Container) -> Request) -> Result<Page, Error> {
        let (filter, limit) = (self.filter(), self.query.limit);
        let (mut shown, mut after, mut asked) = (Vec::new(), self.query.after, 0_usize);
        loop {
            let page = self.store.list(&filter, after, limit)?;
            for checkpoint in page.checkpoints {
                if shown.len() == limit {
                    return Ok(Page {
                        shown,
                        next: after,
                        asked,
                    });
                }
                after = Some(checkpoint.id);
                let Some(container) = self.container(&checkpoint) else {
                    continue;
                };
                asked = asked.saturating_add(1);
                let verdicts = self.policies.authorize(&request(&checkpoint, container));
                if gateway_policy::decide(&verdicts).is_ok() {
                    shown.push(checkpoint);
                }
            }
            after = page.next;
            if after.is_none() || shown.len() == limit || asked >= ASKED_MAX {
                return Ok(Page {
                    shown,
                    next: after,
                    asked,
                });
            }
        }
    }

    /// The container that policies decide on. A checkpoint without it is not listed, since nothing can be decided.
    fn container(&self, checkpoint: &Checkpoint) -> Option<Container> {
        let container = self.store.container(checkpoint);
        container.unwrap_or_else(|error| {
            warn!(checkpoint_id = %checkpoint.id, cause = cause(&error), "left a checkpoint out of a list");
            None
        })
    }

    fn filter(&self) -> Filter {
        Filter {
            namespace: self.query.namespace.clone(),
            pod: self.query.pod.clone(),
            container: self.query.container.clone(),
            since: self.query.since,
            until: self.query.until,
        }
    }
}
