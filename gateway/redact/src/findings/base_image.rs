//! Whether another node can pull the image that the container was started from.

use gateway_core::FindingCode;

use crate::finding_list::FindingList;
use crate::oci::ContainerConfig;

/// Reads `config.dump`.
pub(super) fn report(config: &[u8], list: &mut FindingList) {
    let Ok(config) = serde_json::from_slice::<ContainerConfig>(config) else {
        return;
    };
    let reference = config.rootfs_image_ref.unwrap_or_default();
    let name = config.rootfs_image_name.unwrap_or_default();
    let message = match (reference.as_str(), name.as_str()) {
        ("", "") => {
            "the base image has no name: a restore elsewhere needs the image, so name it in the pod"
        }
        ("", _) => return,
        (reference, _) if is_bare(reference) => {
            "the base image is known by its digest alone, by which no other node can pull it: push the image to a registry that \
             the other node reaches, and name it in the pod"
        }
        _ => return,
    };
    list.note(FindingCode::BaseImage, "config.dump", message);
}

/// An image's id or digest without a repository.
fn is_bare(reference: &str) -> bool {
    let digest = reference.strip_prefix("sha256:").unwrap_or(reference);
    digest.len() >= 12 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_a_repository_is_noted() {
        let digest = format!("sha256:{}", "7b".repeat(32));
        for (reference, name, noted) in [
            (digest.as_str(), "localhost/box:1", true),
            (&digest[7..], "localhost/box:1", true),
            ("", "", true),
            ("", "localhost/box:1", false),
            (&format!("localhost/box@{digest}"), "localhost/box:1", false),
            ("localhost/deadbeefcafe", "", false),
        ] {
            let config =
                format!(r#"{{"rootfsImageRef":"{reference}","rootfsImageName":"{name}"}}"#);
            let mut list = FindingList::default();
            report(config.as_bytes(), &mut list);
            assert_eq!(list.into_vec().len(), usize::from(noted), "{config}");
        }
    }
}
