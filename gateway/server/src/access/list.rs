use std::sync::Arc;

use gateway_archive::Filter;
use gateway_core::{Action, Checkpoint, CheckpointId, Listed, Outcome, Request};
use gateway_policy::Policies;
use http::Response;
use serde_json::json;
use tracing::{Instrument, info_span};

use super::Call;
use crate::Error;
use crate::pipeline::Context;
use crate::query::Query;
use crate::reply::{self, Body};

/// How many checkpoints are looked at for one page of those that a caller may see.
const LOOKED_AT_MAX: usize = 2000;

/// Those that the caller may see: each is a question of its own to the policies.
pub(super) async fn answer(
    cx: &Context,
    call: &Call,
    query: Query,
) -> Result<Response<Body>, Error> {
    let policies = cx.policies.now();
    let (store, request) = (cx.store.clone(), call.request(Action::List));
    let looking = tokio::task::spawn_blocking(move || visible(&store, &policies, &request, &query));
    let page = looking
        .instrument(info_span!("list"))
        .await
        .map_err(|_| Error::Internal)??;
    let listed = Listed {
        asked: page.asked as u64,
        shown: page.seen.len() as u64,
    };
    let outcome = Outcome {
        status: 200,
        listed: Some(listed),
        ..call.subject.outcome()
    };
    call.subject.close(cx, outcome).await?;
    reply::json(&json!({ "items": page.seen, "next": page.next }))
}

/// What a caller may see of the checkpoints that were looked at.
struct Visible {
    seen: Vec<Checkpoint>,
    next: Option<CheckpointId>,
    asked: usize,
}

fn visible(
    store: &gateway_archive::Store,
    policies: &Arc<Policies>,
    request: &impl Fn(&Checkpoint) -> Request,
    query: &Query,
) -> Result<Visible, Error> {
    let filter = Filter {
        namespace: query.namespace.clone(),
        pod: query.pod.clone(),
        container: query.container.clone(),
        since: query.since,
        until: query.until,
    };
    let (mut seen, mut after, mut asked) = (Vec::new(), query.after, 0_usize);
    loop {
        let page = store.list(&filter, after, query.limit)?;
        for checkpoint in page.checkpoints {
            if seen.len() == query.limit {
                return Ok(Visible {
                    seen,
                    next: after,
                    asked,
                });
            }
            after = Some(checkpoint.id);
            asked = asked.saturating_add(1);
            let verdicts = policies.authorize(&request(&checkpoint));
            if gateway_policy::decide(&verdicts).is_ok() {
                seen.push(checkpoint);
            }
        }
        after = page.next;
        if after.is_none() || seen.len() == query.limit || asked >= LOOKED_AT_MAX {
            return Ok(Visible {
                seen,
                next: after,
                asked,
            });
        }
    }
}
