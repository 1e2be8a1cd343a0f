//! Finds the runtime's socket.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// The default sockets of container runtimes, in the order in which they are tried: containerd, CRI-O, cri-dockerd.
pub const WELL_KNOWN: [&str; 3] = [
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
];

/// The runtime's socket: the `configured` one, even if it does not exist yet, or else the first existing one of `candidates`.
///
/// # Errors
/// [`Error::NoSocket`] if none is configured and no candidate exists.
pub fn find(configured: Option<&Path>, candidates: &[impl AsRef<Path>]) -> Result<PathBuf, Error> {
    if let Some(path) = configured {
        return Ok(path.to_path_buf());
    }
    let found = candidates
        .iter()
        .map(AsRef::as_ref)
        .find(|path| path.exists());
    found.map(Path::to_path_buf).ok_or_else(|| Error::NoSocket {
        tried: candidates
            .iter()
            .map(|path| path.as_ref().to_path_buf())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_the_configured_socket_before_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        let other = dir.path().join("containerd.sock");
        std::fs::write(&other, "").unwrap();
        assert_eq!(
            find(Some(Path::new("/run/later.sock")), &[&other]).as_deref(),
            Ok(Path::new("/run/later.sock"))
        );
    }

    #[test]
    fn otherwise_finds_the_first_existing_socket() {
        let dir = tempfile::tempdir().unwrap();
        let [absent, present, later] = ["a", "b", "c"].map(|name| dir.path().join(name));
        std::fs::write(&present, "").unwrap();
        std::fs::write(&later, "").unwrap();
        assert_eq!(find(None, &[&absent, &present, &later]), Ok(present));
    }

    #[test]
    fn names_the_tried_paths_if_none_exists() {
        let error = find(None, &["/nonexistent/a.sock", "/nonexistent/b.sock"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no container runtime found: none of /nonexistent/a.sock, /nonexistent/b.sock exists; set `runtime.socket`"
        );
    }
}
