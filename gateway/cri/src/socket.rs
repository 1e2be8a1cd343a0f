use std::path::{Path, PathBuf};

use crate::Error;

/// Where container runtimes listen, in the order in which they are tried: containerd, CRI-O, cri-dockerd.
pub const WELL_KNOWN: [&str; 3] = [
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
];

/// The runtime's socket: the `configured` one, whether it exists yet or not, else the first of `candidates` that exists.
///
/// # Errors
/// [`Error::NoSocket`] where nothing is configured and no candidate exists.
pub fn find(configured: Option<&Path>, candidates: &[impl AsRef<Path>]) -> Result<PathBuf, Error> {
    if let Some(path) = configured {
        return Ok(path.to_path_buf());
    }
    let found = candidates
        .iter()
        .map(AsRef::as_ref)
        .find(|path| path.exists());
    found.map(Path::to_path_buf).ok_or_else(|| Error::NoSocket {
        looked: candidates
            .iter()
            .map(|path| path.as_ref().to_path_buf())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_socket_wins_even_before_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        let other = dir.path().join("containerd.sock");
        std::fs::write(&other, "").unwrap();
        assert_eq!(
            find(Some(Path::new("/run/later.sock")), &[&other]).as_deref(),
            Ok(Path::new("/run/later.sock"))
        );
    }

    #[test]
    fn without_one_the_first_that_exists_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let [absent, present, later] = ["a", "b", "c"].map(|name| dir.path().join(name));
        std::fs::write(&present, "").unwrap();
        std::fs::write(&later, "").unwrap();
        assert_eq!(find(None, &[&absent, &present, &later]), Ok(present));
    }

    #[test]
    fn where_there_is_none_the_error_says_where_it_looked() {
        let error = find(None, &["/nonexistent/a.sock", "/nonexistent/b.sock"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no container runtime found: looked for /nonexistent/a.sock, /nonexistent/b.sock; set `runtime.socket`"
        );
    }
}
