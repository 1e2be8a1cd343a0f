//! A request as it may be shown: the one view that logs, traces, audit records and metadata are made from.

use std::net::IpAddr;

use gateway_core::{
    Container, CredentialKind, Finding, HiddenField, Identity, Request, RequestRecord, Verdict,
};
use gateway_redact::TextMasker;

use crate::hidden_fields::{HiddenFields, visible_verdicts};
use crate::masked_request::{MaskedFields, MaskedRequest};

/// A request without the fields that are hidden at the time when the view is made. Secrets in other texts are masked.
#[derive(Debug, Clone, Default)]
pub(crate) struct VisibleRequest {
    /// Absent where it is hidden, or where no caller is proven.
    pub(crate) user: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) credential: Option<CredentialKind>,
    pub(crate) issuer: Option<String>,
    pub(crate) source_address: Option<IpAddr>,
    pub(crate) reason: Option<String>,
    /// Whether something in the reason is masked.
    pub(crate) masks_reason: bool,
    /// The fields that are left out.
    pub(crate) hidden: Vec<HiddenField>,
    texts: TextMasker,
}

impl VisibleRequest {
    pub(crate) fn new(
        identity: Option<&Identity>,
        source_address: IpAddr,
        reason: Option<&str>,
        hidden: &HiddenFields,
    ) -> Self {
        let texts = hidden.texts().clone();
        let hidden = hidden.to_vec();
        let shows = |field| !hidden.contains(&field);
        let user = identity.filter(|_| shows(HiddenField::User));
        let groups = identity.filter(|_| shows(HiddenField::Groups));
        let reason = reason.filter(|_| shows(HiddenField::Reason));
        let masked = reason.and_then(|reason| texts.mask(reason));
        Self {
            user: user.map(|identity| identity.user.clone()),
            groups: groups
                .map(|identity| identity.groups.clone())
                .unwrap_or_default(),
            credential: identity.map(|identity| identity.credential),
            issuer: identity.map(|identity| identity.issuer.clone()),
            source_address: shows(HiddenField::SourceAddress).then_some(source_address),
            masks_reason: masked.is_some(),
            reason: masked.or_else(|| reason.map(str::to_owned)),
            hidden,
            texts,
        }
    }

    /// The container's image, unless it is hidden.
    pub(crate) fn image(&self, container: &Container) -> Option<String> {
        let image = &container.image;
        let shown = || {
            self.texts
                .mask_image(image)
                .unwrap_or_else(|| image.clone())
        };
        (!self.hidden.contains(&HiddenField::Image)).then(shown)
    }

    /// `text`, which may quote the request, as it may be shown.
    pub(crate) fn text(&self, text: &str) -> String {
        self.texts.shown(text)
    }

    /// Findings about an archive, whose places and messages may quote it, as they may be shown.
    pub(crate) fn findings(&self, findings: &[Finding]) -> Vec<Finding> {
        self.texts.mask_findings(findings)
    }

    /// The request that policies got, without the hidden fields. Fields in which something is masked are added to `masked`.
    pub(crate) fn record(&self, request: &Request, masked: &mut MaskedFields) -> RequestRecord {
        let shown = MaskedRequest::of(request, &self.texts);
        masked.extend(shown.fields);
        RequestRecord::of(&shown.request, &self.hidden)
    }

    /// The policies' verdicts, without their own words where something is hidden. Those in which something is masked are
    /// added to `masked`.
    pub(crate) fn verdicts(&self, verdicts: &[Verdict], masked: &mut MaskedFields) -> Vec<Verdict> {
        let shown = visible_verdicts(verdicts.to_vec(), &self.hidden, &self.texts);
        if self.hidden.is_empty() {
            masked.add_verdicts(verdicts, &shown);
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = include_str!("../../../policies/sdk/default-request.json");

    fn view(hidden: &[HiddenField]) -> VisibleRequest {
        let request: Request = serde_json::from_str(REQUEST).unwrap();
        let fields = HiddenFields::default();
        fields.add(hidden.to_vec());
        VisibleRequest::new(
            Some(&request.identity),
            request.source_address,
            Some("an incident"),
            &fields,
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
