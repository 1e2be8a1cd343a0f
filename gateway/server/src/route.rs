//! The call that a request asks for, from its method, path and query. Paths are not decoded, so percent-encoding cannot hide
//! anything.

mod accept;

use gateway_core::{Action, CheckpointId, Target};
use http::{Method, Request};

use crate::Error;
use crate::operation::Operation;
use crate::query::Query;

use accept::accept;

/// The calls of the main listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /checkpoint/{namespace}/{pod}/{container}`
    Checkpoint {
        /// The container that the path names.
        target: Target,
        /// How long the caller wants to wait, in seconds; `None` for the default.
        timeout_seconds: Option<u32>,
    },
    /// `GET /v1/checkpoints`
    List(Query),
    /// `GET /v1/checkpoints/{id}`
    Inspect(CheckpointId),
    /// `DELETE /v1/checkpoints/{id}`
    Delete(CheckpointId),
    /// `GET /v1/checkpoints/{id}/archive`
    Download {
        /// The checkpoint.
        id: CheckpointId,
        /// Whether the caller asks for the original, as the runtime wrote it (`view=original`).
        original: bool,
    },
    /// `PUT /v1/checkpoints/{id}/hold`
    Hold(CheckpointId),
    /// `DELETE /v1/checkpoints/{id}/hold`
    Release(CheckpointId),
    /// `GET /v1/whoami`
    WhoAmI,
    /// `GET /openapi.json`
    OpenApi,
}

/// The path of a call, without method and parameters.
#[derive(Clone, Copy)]
enum Path<'a> {
    Checkpoint([&'a str; 3]),
    Checkpoints,
    Stored(&'a str),
    Archive(&'a str),
    Hold(&'a str),
    WhoAmI,
    OpenApi,
}

/// Character sequences that no path of this interface has. Two parsers could read a path with one of them differently.
const FORBIDDEN: [(&str, &str); 5] = [
    ("%", "`%`"),
    (";", "`;`"),
    ("\\", "`\\`"),
    ("//", "an empty segment"),
    ("/..", "`..`"),
];

impl Route {
    /// Every call without its parameters, for the OpenAPI document and for tests.
    pub const ALL: [Operation; 9] = Operation::ALL;

    /// The call of `request`.
    ///
    /// # Errors
    /// Where there is no such path or method, or a parameter is invalid.
    pub fn of<B>(request: &Request<B>) -> Result<Self, Error> {
        let path = Path::of(request.uri().path())?;
        let query = request.uri().query().unwrap_or_default();
        let (get, delete) = (
            *request.method() == Method::GET,
            *request.method() == Method::DELETE,
        );
        let kind = if matches!(path, Path::Archive(_)) {
            "application/x-tar"
        } else {
            "application/json"
        };
        let route = match path {
            Path::Checkpoint([namespace, pod, container]) if *request.method() == Method::POST => {
                accept(request.headers(), kind)?;
                let target = Target::new(namespace, pod, container)?;
                Self::Checkpoint {
                    target,
                    timeout_seconds: timeout(query)?,
                }
            }
            Path::Checkpoints if get => Self::List(Query::of(query)?),
            Path::Stored(id) if get => Self::Inspect(id.parse()?),
            Path::Stored(id) if delete => Self::Delete(id.parse()?),
            Path::Archive(id) if get => Self::Download {
                id: id.parse()?,
                original: original(query)?,
            },
            Path::Hold(id) if *request.method() == Method::PUT => Self::Hold(id.parse()?),
            Path::Hold(id) if delete => Self::Release(id.parse()?),
            Path::WhoAmI if get => Self::WhoAmI,
            Path::OpenApi if get => Self::OpenApi,
            _ => return Err(Error::Method(path.methods())),
        };
        accept(request.headers(), kind).map(|()| route)
    }

    /// The call without its parameters.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Checkpoint { .. } => Operation::Checkpoint,
            Self::List(_) => Operation::List,
            Self::Inspect(_) => Operation::Inspect,
            Self::Delete(_) => Operation::Delete,
            Self::Download { .. } => Operation::Download,
            Self::Hold(_) => Operation::Hold,
            Self::Release(_) => Operation::Release,
            Self::WhoAmI => Operation::WhoAmI,
            Self::OpenApi => Operation::OpenApi,
        }
    }

    /// The template, for traces (`http.route`).
    pub fn template(&self) -> &'static str {
        self.operation().template()
    }

    /// The method, for traces.
    pub fn method(&self) -> Method {
        self.operation().method()
    }

    /// The action that policies decide on; `None` where they are not asked.
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::Checkpoint { .. } => Some(Action::Create),
            Self::List(_) => Some(Action::List),
            Self::Inspect(_) => Some(Action::Inspect),
            Self::Delete(_) => Some(Action::Delete),
            Self::Download {
                original: false, ..
            } => Some(Action::Download),
            Self::Download { original: true, .. } => Some(Action::DownloadOriginal),
            Self::Hold(_) | Self::Release(_) => Some(Action::Hold),
            Self::WhoAmI | Self::OpenApi => None,
        }
    }

    /// The call's name in metrics and logs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::WhoAmI => "whoami",
            Self::OpenApi => "openapi",
            Self::Checkpoint { .. }
            | Self::List(_)
            | Self::Inspect(_)
            | Self::Delete(_)
            | Self::Download { .. }
            | Self::Hold(_)
            | Self::Release(_) => self.action().map_or("", Action::as_str),
        }
    }

    /// The container that the path names.
    pub fn target(&self) -> Option<&Target> {
        if let Self::Checkpoint { target, .. } = self {
            Some(target)
        } else {
            None
        }
    }

    /// The checkpoint that the path names.
    pub fn checkpoint_id(&self) -> Option<CheckpointId> {
        match self {
            Self::Inspect(id)
            | Self::Delete(id)
            | Self::Download { id, .. }
            | Self::Hold(id)
            | Self::Release(id) => Some(*id),
            Self::Checkpoint { .. } | Self::List(_) | Self::WhoAmI | Self::OpenApi => None,
        }
    }
}

impl<'a> Path<'a> {
    fn of(path: &'a str) -> Result<Self, Error> {
        if let Some((_, name)) = FORBIDDEN.iter().find(|(text, _)| path.contains(text)) {
            return Err(Error::BadPath(name));
        }
        let segments: Vec<_> = path
            .strip_prefix('/')
            .ok_or(Error::NoRoute)?
            .split('/')
            .collect();
        match segments.as_slice() {
            [_, .., ""] => Err(Error::BadPath("an empty segment")),
            ["checkpoint", namespace, pod, container] => {
                Ok(Self::Checkpoint([namespace, pod, container]))
            }
            ["openapi.json"] => Ok(Self::OpenApi),
            ["v1", "whoami"] => Ok(Self::WhoAmI),
            ["v1", "checkpoints"] => Ok(Self::Checkpoints),
            ["v1", "checkpoints", id] => Ok(Self::Stored(id)),
            ["v1", "checkpoints", id, "archive"] => Ok(Self::Archive(id)),
            ["v1", "checkpoints", id, "hold"] => Ok(Self::Hold(id)),
            _ => Err(Error::NoRoute),
        }
    }

    /// The methods that the path allows, for the `Allow` header.
    fn methods(self) -> &'static str {
        match self {
            Self::Checkpoint(_) => "POST",
            Self::Checkpoints | Self::Archive(_) | Self::WhoAmI | Self::OpenApi => "GET",
            Self::Stored(_) => "GET, DELETE",
            Self::Hold(_) => "PUT, DELETE",
        }
    }
}

fn original(query: &str) -> Result<bool, Error> {
    let mut views = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "view");
    match (views.next(), views.next()) {
        (None, _) => Ok(false),
        (Some((_, view)), None) if view == "original" => Ok(true),
        (Some((_, view)), None) if view == "redacted" => Ok(false),
        _ => Err(Error::BadQuery("view", "`redacted` or `original`, once")),
    }
}

/// Parsed as the kubelet does, but stricter: repeated, negative and fractional values are refused. Zero means "not given".
fn timeout(query: &str) -> Result<Option<u32>, Error> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "timeout");
    let Some((_, value)) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Error::BadTimeout("given more than once"));
    }
    let seconds: i64 = value
        .parse()
        .map_err(|_| Error::BadTimeout("not an integer"))?;
    if seconds < 0 {
        return Err(Error::BadTimeout("negative"));
    }
    let seconds = u32::try_from(seconds).map_err(|_| Error::BadTimeout("too large"))?;
    Ok(Some(seconds).filter(|seconds| *seconds > 0))
}

#[cfg(test)]
mod tests;
