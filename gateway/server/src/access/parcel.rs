//! The file of a download, and the head of its answer: ranges, validators and digest.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gateway_core::Checkpoint;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, Response, StatusCode};

use super::range::{self, Wanted};
use crate::Error;
use crate::reply::{self, Body};

/// RFC 9530.
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// The file of a download.
pub(super) struct Parcel {
    pub(super) file: File,
    /// SHA-256 of the file, as hex digits.
    pub(super) sha256: String,
    name: String,
    content_type: &'static str,
    bytes: u64,
}

impl Parcel {
    pub(super) fn of(checkpoint: &Checkpoint, file: File, original: bool) -> Result<Self, Error> {
        let name = |path: &Path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned)
                .ok_or(Error::Internal)
        };
        if !original {
            let (bytes, sha256) = (checkpoint.bytes, checkpoint.sha256.clone());
            return Ok(Self {
                file,
                name: name(&checkpoint.path)?,
                content_type: "application/x-tar",
                bytes,
                sha256,
            });
        }
        let kept = checkpoint.original.as_ref().ok_or(Error::NoOriginal)?;
        let content_type = if kept.sealed {
            "application/octet-stream"
        } else {
            "application/x-tar"
        };
        Ok(Self {
            file,
            name: name(&kept.path)?,
            content_type,
            bytes: kept.bytes,
            sha256: kept.sha256.clone(),
        })
    }

    /// The answer without its body, and the part of the file that is the body; `None` where the answer has none.
    pub(super) fn head(&self, asked: &HeaderMap) -> (Response<Body>, Option<Range<u64>>) {
        let etag = format!("\"{}\"", self.sha256);
        let of = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
        let same = |list: &str| {
            list.split(',')
                .any(|tag| ["*", &etag].contains(&tag.trim().trim_start_matches("W/")))
        };
        if of(IF_NONE_MATCH).is_some_and(same) {
            return (self.with_validators(StatusCode::NOT_MODIFIED, &etag), None);
        }
        // `If-Range`: a part of a file that has changed since would not fit to the part that the caller has.
        let range = of(RANGE).filter(|_| of(IF_RANGE).is_none_or(|tag| tag == etag));
        match range::of(range, self.bytes) {
            Wanted::Whole => (
                self.with_validators(StatusCode::OK, &etag),
                Some(0..self.bytes),
            ),
            Wanted::Part(part) => {
                let mut head = self.with_validators(StatusCode::PARTIAL_CONTENT, &etag);
                let last = part.end.saturating_sub(1);
                insert(
                    &mut head,
                    CONTENT_RANGE,
                    &format!("bytes {}-{last}/{}", part.start, self.bytes),
                );
                (head, Some(part))
            }
            Wanted::Nowhere => {
                let mut head = self.with_validators(StatusCode::RANGE_NOT_SATISFIABLE, &etag);
                insert(&mut head, CONTENT_RANGE, &format!("bytes */{}", self.bytes));
                (head, None)
            }
        }
    }

    fn digest(&self) -> Vec<u8> {
        // The digest comes from metadata that was checked when the file was opened.
        hex::decode(&self.sha256).unwrap_or_default()
    }

    fn with_validators(&self, status: StatusCode, etag: &str) -> Response<Body> {
        let mut head = reply::empty(status);
        insert(&mut head, ETAG, etag);
        insert(&mut head, ACCEPT_RANGES, "bytes");
        if status.is_success() {
            insert(&mut head, CONTENT_TYPE, self.content_type);
            insert(
                &mut head,
                CONTENT_DISPOSITION,
                &format!("attachment; filename=\"{}\"", self.name),
            );
            insert(
                &mut head,
                REPR_DIGEST,
                &format!("sha-256=:{}:", BASE64_STANDARD.encode(self.digest())),
            );
        }
        head
    }
}

fn insert(head: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        head.headers_mut().insert(name, value);
    }
}
