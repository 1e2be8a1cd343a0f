//! A request as it may be shown: the one view that logs, traces, audit records and metadata are made from.

use std::net::IpAddr;

use gateway_core::{
    Container, CredentialKind, HiddenField, Identity, Request, RequestRecord, Verdict,
};

use crate::hidden_fields::visible_verdicts;

/// A request without the fields that are hidden at the time when the view is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct VisibleRequest {
    /// Absent where it is hidden, or where no caller is proven.
    pub(crate) user: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) credential: Option<CredentialKind>,
    pub(crate) issuer: Option<String>,
    pub(crate) source_address: Option<IpAddr>,
    pub(crate) reason: Option<String>,
    /// The fields that are left out.
    pub(crate) hidden: Vec<HiddenField>,
}

impl VisibleRequest {
    pub(crate) fn new(
        identity: Option<&Identity>,
        source_address: IpAddr,
        reason: Option<&str>,
        hidden: Vec<HiddenField>,
    ) -> Self {
        let shows = |field| !hidden.contains(&field);
        let user = identity.filter(|_| shows(HiddenField::User));
        let groups = identity.filter(|_| shows(HiddenField::Groups));
        Self {
            user: user.map(|identity| identity.user.clone()),
            groups: groups
                .map(|identity| identity.groups.clone())
                .unwrap_or_default(),
            credential: identity.map(|identity| identity.credential),
            issuer: identity.map(|identity| identity.issuer.clone()),
            source_address: shows(HiddenField::SourceAddress).then_some(source_address),
            reason: reason
                .filter(|_| shows(HiddenField::Reason))
                .map(str::to_owned),
            hidden,
        }
    }

    /// The container's image, unless it is hidden.
    pub(crate) fn image<'a>(&self, container: &'a Container) -> Option<&'a str> {
        (!self.hidden.contains(&HiddenField::Image)).then_some(container.image.as_str())
    }

    /// The request that policies got, without the hidden fields.
    pub(crate) fn record(&self, request: &Request) -> RequestRecord {
        RequestRecord::of(request, &self.hidden)
    }

    /// The policies' verdicts, without their own words where something is hidden.
    pub(crate) fn verdicts(&self, verdicts: Vec<Verdict>) -> Vec<Verdict> {
        visible_verdicts(verdicts, &self.hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = include_str!("../../../policies/sdk/default-request.json");

    fn view(hidden: &[HiddenField]) -> VisibleRequest {
        let request: Request = serde_json::from_str(REQUEST).unwrap();
        VisibleRequest::new(
            Some(&request.identity),
            request.source_address,
            Some("an incident"),
            hidden.to_vec(),
        )
    }

    #[test]
    fn leaves_out_hidden_fields_and_no_others() {
        let shown = view(&[HiddenField::User, HiddenField::Reason]);
        assert_eq!((shown.user, shown.reason), (None, None));
        assert!(!shown.groups.is_empty() && shown.source_address.is_some());
        let shown = view(&[HiddenField::Groups, HiddenField::SourceAddress]);
        assert!(shown.user.is_some() && shown.reason.is_some());
        assert_eq!((shown.groups, shown.source_address), (Vec::new(), None));
    }

    #[test]
    fn shows_everything_where_nothing_is_hidden() {
        let shown = view(&[]);
        assert!(shown.user.is_some() && !shown.groups.is_empty() && shown.reason.is_some());
    }
}
