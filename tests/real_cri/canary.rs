//! 200 secrets in every place that a workload has: the plain archive shows each of them where it was put, the redacted one
//! none anywhere, and still restores.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::harness::{Containerd, Counter, Front};
use super::redacting;
use crate::redaction::members;
use crate::storage::metadata;

/// The beginning of each secret, so that one pass over an archive finds all of them.
const MARK: &[u8] = b"cnry";
const COUNT: usize = 200;

/// Each is a variable. By its number it is in the log, in a file of the root file system, in a tmpfs, in a file that is
/// deleted and open, in base64 at one of three alignments, or is a file's name. All of them stand close to one another in the
/// heap of the shell, and, many times, in the arguments and the heap of a child: across pages and the pieces of the stream.
const SCRIPT: &str = r#"
exec 9>/gone
mkdir /named /dev/cache
n=0
while [ $n -lt 200 ]; do
    eval "v=\$SECRET_$n"
    case $((n % 6)) in
    0) echo "said $v" ;;
    1) echo "kept $v" >>/kept ;;
    2) echo "cached $v" >>/dev/cache/file ;;
    3) echo "gone $v" >&9 ;;
    4) encoded="$encoded $(printf '%*s%s:' $((n % 3)) '' "$v" | busybox base64)" ;;
    5) : >"/named/$v" ;;
    esac
    all="$all $v"
    n=$((n + 1))
done
busybox rm /gone
awk -v "s=$all" 'BEGIN { while (length(s) < 3000000) s = s s; while (1) system("sleep 1000") }' &
n=0
while :; do n=$((n + 1)); echo "tick $n of ${#encoded} and ${#all}"; sleep 1; done
"#;

/// Letters and digits that look random and are others each time.
fn secrets() -> Vec<String> {
    let random = || {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        u128::from_be_bytes(bytes)
    };
    (0..COUNT)
        .map(|_| format!("cnry{:032x}", random()))
        .collect()
}

/// Which secrets are in which member, as they are.
fn shown(members: &[(String, Vec<u8>)], secrets: &[String]) -> BTreeMap<String, BTreeSet<usize>> {
    let at = |text: &[u8]| {
        secrets
            .iter()
            .position(|secret| text.starts_with(secret.as_bytes()))
    };
    let of = |bytes: &[u8]| -> BTreeSet<usize> {
        let starts = (0..bytes.len()).filter(|start| bytes[*start..].starts_with(MARK));
        starts.filter_map(|start| at(&bytes[start..])).collect()
    };
    members
        .iter()
        .map(|(name, bytes)| (name.clone(), of(bytes)))
        .filter(|(_, found)| !found.is_empty())
        .collect()
}

/// The part of a base64 text that depends on the secret alone, if `behind` other bytes precede it.
fn encoded(secret: &str, behind: usize) -> String {
    let whole = STANDARD.encode(format!("{}{secret}:", &"  "[..behind]));
    let from = (behind * 8).div_ceil(6);
    let to = (behind + secret.len()) * 8 / 6;
    whole[from..to].to_owned()
}

fn holds(members: &[(String, Vec<u8>)], text: &str) -> bool {
    let (first, text) = (text.as_bytes()[0], text.as_bytes());
    members.iter().any(|(_, bytes)| {
        let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
        starts
            .map(|(start, _)| &bytes[start..])
            .any(|rest| rest.starts_with(text))
    })
}

/// Checks that the archive of the unredacted workload has every secret in the places that the script puts it.
fn check_places(before: &[(String, Vec<u8>)], secrets: &[String]) {
    let places = shown(before, secrets);
    for (turn, place) in [
        (0, "container.log"),
        (1, "rootfs-diff.tar"),
        (2, "tmpfs-dev"),
        (3, "ghost-file"),
        (5, "rootfs-diff.tar"),
    ] {
        let found: BTreeSet<usize> = places
            .iter()
            .filter(|(name, _)| name.contains(place))
            .flat_map(|(_, found)| found.clone())
            .collect();
        let expected: Vec<usize> = (0..COUNT).filter(|at| at % 6 == turn).collect();
        assert!(
            expected.iter().all(|at| found.contains(at)),
            "{place}: {found:?}"
        );
    }
    for place in [
        "spec.dump",
        "checkpoint/pages-1.img",
        "checkpoint/pages-2.img",
    ] {
        assert_eq!(
            places.get(place).map(BTreeSet::len),
            Some(COUNT),
            "{place} of {:?}",
            places.keys()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn masks_200_secrets_and_the_container_still_restores() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let secrets = secrets();
    let variables: Vec<String> = secrets
        .iter()
        .enumerate()
        .map(|(at, secret)| format!("SECRET_{at}={secret}"))
        .collect();
    let workload = Counter::script(&containerd, "canary", SCRIPT, &variables);

    let plain = Front::start(&containerd, |_| {}).await;
    let before = members(&plain.take(&workload).await);
    check_places(&before, &secrets);
    let in_base64 = |at: &usize| at % 6 == 4;
    for at in (0..COUNT).filter(in_base64) {
        assert!(holds(&before, &encoded(&secrets[at], at % 3)), "{at}");
    }

    let front = Front::start(&containerd, redacting).await;
    let archive = front.take(&workload).await;
    let after = members(&archive);
    assert_eq!(shown(&after, &secrets), BTreeMap::new());
    for at in (0..COUNT).filter(in_base64) {
        assert!(!holds(&after, &encoded(&secrets[at], at % 3)), "{at}");
    }
    let raw = [(String::new(), std::fs::read(&archive).unwrap())];
    assert_eq!(shown(&raw, &secrets), BTreeMap::new());
    let told = metadata(&archive).to_string();
    assert!(secrets.iter().all(|secret| !told.contains(secret)));

    drop(workload);
    let restored = Counter::restore(&containerd, "canary-restored", &archive);
    restored.goes_on(restored.ticks().max(1));
}
