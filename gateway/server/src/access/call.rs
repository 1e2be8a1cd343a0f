//! A call about stored checkpoints.

use std::collections::BTreeMap;

use gateway_core::{Action, Archive, Checkpoint, Container, Request};
use http::HeaderMap;

use crate::authn::Caller;
use crate::request_context::RequestContext;

/// A call about stored checkpoints, by a verified caller.
pub(crate) struct AccessCall {
    context: RequestContext,
    caller: Caller,
    headers: HeaderMap,
}

impl AccessCall {
    pub(crate) fn new(context: RequestContext, caller: Caller, headers: HeaderMap) -> Self {
        Self {
            context,
            caller,
            headers,
        }
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(super) fn context(&self) -> &RequestContext {
        &self.context
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Makes the requests that policies get about checkpoints and their containers.
    pub(super) fn policy_request(
        &self,
        action: Action,
    ) -> impl Fn(&Checkpoint, Container) -> Request + Send + 'static {
        let id = self.context.ids().request_id;
        let identity = self.caller.identity().clone();
        let reason = self.context.reason().map(str::to_owned);
        let source_address = self.context.peer().address;
        let received_at = self.context.received_at();
        move |checkpoint, container| Request {
            id,
            action,
            identity: identity.clone(),
            target: container,
            archive: Some(Archive {
                id: checkpoint.id,
                created_by: checkpoint.created_by.clone(),
                created_at: checkpoint.created_at,
                bytes: checkpoint.bytes,
            }),
            latest: None,
            reason: reason.clone(),
            timeout_seconds: None,
            source_address,
            received_at,
            headers: BTreeMap::new(),
        }
    }
}
