//! The names of archives and of the files beside them.

use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::Target;
use jiff::Timestamp;

/// The beginning of every archive's name.
pub(crate) const PREFIX: &str = "checkpoint-";
/// The end of every archive's name.
pub(crate) const ARCHIVE: &str = ".tar";
/// The suffix of its metadata's name.
pub(crate) const METADATA: &str = ".json";
/// The suffix of its hold's name.
pub(crate) const HOLD: &str = ".hold";
/// The suffix of the name of its container's unmasked description.
pub(crate) const FACTS: &str = ".facts";
/// The suffix of its sealed original's name.
pub(crate) const SEALED: &str = ".age";
/// The end of the name of its original in plaintext, in place of [`ARCHIVE`].
pub(crate) const PLAINTEXT: &str = ".original.tar";

/// The most that any of these adds to an archive's name, in bytes.
const LONGEST: usize = PLAINTEXT.len() - ARCHIVE.len();

/// Linux's limit for one name (`NAME_MAX`), in bytes.
const NAME_MAX: usize = 255;

/// The kubelet's name for an archive, with nanoseconds: `checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar`. A
/// pod's name that is too long for that is shortened and marked with `~` and a digest; the metadata has it whole.
pub(crate) fn archive(target: &Target, at: Timestamp) -> String {
    let (namespace, container) = (target.namespace(), target.container());
    let rest = format!("_{namespace}-{container}-{at:.9}{ARCHIVE}");
    let space_left = NAME_MAX.saturating_sub(PREFIX.len() + rest.len() + LONGEST);
    format!("{PREFIX}{}{rest}", fit(target.pod(), space_left))
}

/// The archive's name within the name of a file beside it, which has `suffix`. Looks at the name only.
pub(crate) fn archive_of<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    name.strip_suffix(suffix)
        .filter(|archive| archive.starts_with(PREFIX) && archive.ends_with(ARCHIVE))
}

/// Whether only this gateway names archives so: the kubelet writes no nanoseconds.
pub(crate) fn is_ours(archive: &str) -> bool {
    const TIMESTAMP: usize = "2026-11-22T23:51:39.123456789Z".len();
    let stem = archive
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(ARCHIVE))
        .unwrap_or_default();
    let text = stem
        .len()
        .checked_sub(TIMESTAMP)
        .and_then(|at| stem.get(at..))
        .unwrap_or_default();
    text.parse::<Timestamp>()
        .is_ok_and(|at| format!("{at:.9}") == text)
}

/// The name of the original in plaintext beside `archive`.
pub(crate) fn plaintext(archive: &str) -> String {
    format!(
        "{}{PLAINTEXT}",
        archive.strip_suffix(ARCHIVE).unwrap_or(archive)
    )
}

/// `pod` in at most `space_left` bytes. Targets are ASCII, so any byte is a boundary.
fn fit(pod: &str, space_left: usize) -> String {
    if pod.len() <= space_left {
        return pod.to_owned();
    }
    let digest = hex::encode(digest(&SHA256, pod.as_bytes()));
    let mark: String = digest.chars().take(8).collect();
    let kept = pod
        .get(..space_left.saturating_sub(1 + mark.len()))
        .unwrap_or_default();
    format!("{kept}~{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2026-11-22T23:51:39.123456789Z".parse().unwrap()
    }

    #[test]
    fn is_the_kubelets_name_with_nanoseconds() {
        let target: Target = "shop/cart-0/app".parse().unwrap();
        assert_eq!(
            archive(&target, at()),
            "checkpoint-cart-0_shop-app-2026-11-22T23:51:39.123456789Z.tar"
        );
        let whole: Timestamp = "2026-11-22T23:51:39Z".parse().unwrap();
        assert_eq!(
            archive(&target, whole),
            "checkpoint-cart-0_shop-app-2026-11-22T23:51:39.000000000Z.tar"
        );
    }

    #[test]
    fn the_longest_names_fit_and_stay_different() {
        let name = |pod: &str| {
            archive(
                &Target::new(&"n".repeat(63), pod, &"c".repeat(63)).unwrap(),
                at(),
            )
        };
        let (a, b) = (
            format!("{}a", "p".repeat(252)),
            format!("{}b", "p".repeat(252)),
        );
        assert_eq!(plaintext(&name(&a)).len(), 255);
        assert_ne!(name(&a), name(&b));
    }
}
