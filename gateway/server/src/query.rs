//! The query of a list of checkpoints.

use std::num::NonZeroUsize;

use gateway_core::CheckpointId;
use jiff::Timestamp;

use crate::Error;

/// The most checkpoints on one page.
pub(crate) const PAGE_MAX: usize = 500;
/// The checkpoints on a page where the caller gives no limit.
pub(crate) const PAGE: usize = 100;

/// The stored checkpoints that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Only of this namespace.
    pub namespace: Option<String>,
    /// Only of this pod.
    pub pod: Option<String>,
    /// Only of this container.
    pub container: Option<String>,
    /// Only those created then or later.
    pub since: Option<Timestamp>,
    /// Only those created before.
    pub until: Option<Timestamp>,
    /// Only those after this one: the `next` of the page before.
    pub after: Option<CheckpointId>,
    /// The most checkpoints on the page.
    pub limit: usize,
}

impl Query {
    /// Parses the parameters of a query. Each may be given once, and no others.
    ///
    /// # Errors
    /// [`Error::BadQuery`] names the parameter and what it must be.
    pub fn of(query: &str) -> Result<Self, Error> {
        let mut read = Self {
            namespace: None,
            pod: None,
            container: None,
            since: None,
            until: None,
            after: None,
            limit: PAGE,
        };
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if seen.contains(&name) {
                return Err(Error::BadQuery("a parameter", "given once"));
            }
            read.set(&name, &value)?;
            seen.push(name);
        }
        Ok(read)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let time = |name, value: &str| {
            value
                .parse()
                .map_err(|_| Error::BadQuery(name, "a time of RFC 3339"))
        };
        match name {
            "namespace" => self.namespace = Some(value.to_owned()),
            "pod" => self.pod = Some(value.to_owned()),
            "container" => self.container = Some(value.to_owned()),
            "since" => self.since = Some(time("since", value)?),
            "until" => self.until = Some(time("until", value)?),
            "after" => {
                let id = value
                    .parse()
                    .map_err(|_| Error::BadQuery("after", "the `next` of another page"))?;
                self.after = Some(id);
            }
            "limit" => {
                let limit = value
                    .parse()
                    .ok()
                    .filter(|limit: &NonZeroUsize| limit.get() <= PAGE_MAX);
                self.limit = limit
                    .ok_or(Error::BadQuery("limit", "a number from 1 to 500"))?
                    .get();
            }
            _ => {
                return Err(Error::BadQuery(
                    "a parameter",
                    "one of namespace, pod, container, since, until, after, limit",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_filters_times_and_pages() {
        let query = Query::of("namespace=shop&since=2026-11-24T00:00:00Z&limit=7").unwrap();
        assert_eq!((query.namespace.as_deref(), query.limit), (Some("shop"), 7));
        assert_eq!(query.since.unwrap().to_string(), "2026-11-24T00:00:00Z");
        assert_eq!(Query::of("").unwrap().limit, PAGE);
    }

    #[test]
    fn rejects_invalid_parameters() {
        for query in [
            "limit=0",
            "limit=501",
            "limit=x",
            "since=yesterday",
            "after=1",
            "limit=1&limit=2",
            "order=up",
        ] {
            let error = Query::of(query).unwrap_err();
            assert_eq!(error.answer().code, "bad-query", "{query}");
        }
    }
}
