use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gateway_core::{Checkpoint, Target};

use crate::Error;

/// The largest metadata file that is read, in bytes.
const METADATA_MAX: u64 = 64 << 10;

pub(crate) fn of(directory: &Path, target: &Target) -> Result<Option<Checkpoint>, Error> {
    let unreadable = |source| Error::Io { what: "read", path: directory.to_path_buf(), source };
    let mut newest: Option<Checkpoint> = None;
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !may_describe(&path, target) {
            continue;
        }
        let Ok(found) = read(&path) else { continue };
        let newer = newest.as_ref().is_none_or(|newest| newest.created_at < found.created_at);
        if found.target == *target && newer {
            newest = Some(found);
        }
    }
    Ok(newest)
}

/// Whether the name is one that metadata of this container's would have. A long pod name is cut in it, so the container
/// and the namespace decide here, and the metadata itself afterwards.
fn may_describe(path: &Path, target: &Target) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let place = format!("_{}-{}-", target.namespace(), target.container());
    name.starts_with("checkpoint-") && name.ends_with(".tar.json") && name.contains(&place)
}

fn read(path: &Path) -> io::Result<Checkpoint> {
    let mut text = Vec::new();
    File::open(path)?.take(METADATA_MAX).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(directory: &Path, pod: &str, at: &str) {
        let checkpoint = serde_json::json!({
            "schema": 1, "id": "01990000-0000-7000-8000-000000000001", "path": "/x", "bytes": 1, "sha256": "",
            "created_at": at, "created_by": "alice", "reason": null, "namespace": "shop", "pod": pod,
            "container": "app", "container_id": "", "pod_uid": "", "image": "",
            "runtime": { "name": "", "version": "" }, "transport": "fifo",
            "request_id": "01990000-0000-7000-8000-000000000002", "trace_id": null,
        });
        let name = format!("checkpoint-{pod}_shop-app-{at}.tar.json");
        std::fs::write(directory.join(name), checkpoint.to_string()).unwrap();
    }

    #[test]
    fn the_newest_of_the_container_itself_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let target = "shop/cart-0/app".parse().unwrap();
        assert_eq!(of(directory.path(), &target).unwrap(), None);
        for at in ["2026-11-22T10:00:00.5Z", "2026-11-22T11:00:00Z", "2026-11-22T10:00:00Z"] {
            describe(directory.path(), "cart-0", at);
        }
        describe(directory.path(), "cart-1", "2026-11-23T00:00:00Z");
        std::fs::write(directory.path().join("checkpoint-cart-0_shop-app-2027.tar.json"), "garbage").unwrap();
        let newest = of(directory.path(), &target).unwrap().unwrap();
        assert_eq!(newest.created_at.to_string(), "2026-11-22T11:00:00Z");
    }
}
