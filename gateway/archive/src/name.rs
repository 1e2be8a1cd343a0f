use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::Target;
use jiff::Timestamp;

use crate::hasher::hex;

/// What every archive's name begins with.
pub(crate) const PREFIX: &str = "checkpoint-";
/// What every archive's name ends with.
pub(crate) const ARCHIVE: &str = ".tar";
/// What its metadata's name adds to it.
pub(crate) const METADATA: &str = ".json";
/// What its hold's name adds to it.
pub(crate) const HOLD: &str = ".hold";
/// What its sealed original's name adds to it.
pub(crate) const SEALED: &str = ".age";
/// What the name of its original in plaintext has instead of [`ARCHIVE`].
pub(crate) const PLAINTEXT: &str = ".original.tar";

/// What any of these adds to an archive's name at most, in bytes.
const LONGEST: usize = PLAINTEXT.len() - ARCHIVE.len();

/// Linux's limit for one name (`NAME_MAX`), in bytes.
const NAME_MAX: usize = 255;

/// The kubelet's name for an archive, with nanoseconds: `checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar`. A
/// pod's name that is too long for that is cut and marked with `~` and a digest; the metadata has it whole.
pub(crate) fn archive(target: &Target, at: Timestamp) -> String {
    let (namespace, container) = (target.namespace(), target.container());
    let rest = format!("_{namespace}-{container}-{at:.9}{ARCHIVE}");
    let room = NAME_MAX.saturating_sub(PREFIX.len() + rest.len() + LONGEST);
    format!("{PREFIX}{}{rest}", fit(target.pod(), room))
}

/// The archive's name in that of something beside it, which adds `suffix`. Only the name decides.
pub(crate) fn archive_of<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    name.strip_suffix(suffix)
        .filter(|archive| archive.starts_with(PREFIX) && archive.ends_with(ARCHIVE))
}

/// Whether only we name archives so: nobody else writes nanoseconds.
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

/// What the original in plaintext beside `archive` is named.
pub(crate) fn plaintext(archive: &str) -> String {
    format!(
        "{}{PLAINTEXT}",
        archive.strip_suffix(ARCHIVE).unwrap_or(archive)
    )
}

/// `pod` in at most `room` bytes. Targets are ASCII, so any byte is a boundary.
fn fit(pod: &str, room: usize) -> String {
    if pod.len() <= room {
        return pod.to_owned();
    }
    let digest = hex(digest(&SHA256, pod.as_bytes()).as_ref());
    let mark: String = digest.chars().take(8).collect();
    let kept = pod
        .get(..room.saturating_sub(1 + mark.len()))
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
    fn a_name_is_the_kubelets_with_nanoseconds() {
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
    fn the_longest_names_fit_with_their_metadata_and_stay_apart() {
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
