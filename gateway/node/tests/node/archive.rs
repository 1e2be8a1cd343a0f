//! Tests the members and images of archives.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use prost::Message;
use serde_json::Value;

use gateway_node::Dialect;

use crate::fixture::{Fixture, SECRET, children};

const PAGE: u64 = 4096;

/// The members of an archive with their modes, and their names in order.
pub(crate) struct Archive {
    pub(crate) names: Vec<String>,
    modes: BTreeMap<String, u32>,
    bodies: BTreeMap<String, Vec<u8>>,
}

impl Archive {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let mut archive = Self {
            names: Vec::new(),
            modes: BTreeMap::new(),
            bodies: BTreeMap::new(),
        };
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut body = Vec::new();
            entry.read_to_end(&mut body).unwrap();
            archive
                .modes
                .insert(name.clone(), entry.header().mode().unwrap());
            archive.bodies.insert(name.clone(), body);
            archive.names.push(name);
        }
        archive
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.bodies[name]).unwrap()
    }

    /// The magic numbers of an image, and its entries.
    pub(crate) fn image(&self, name: &str, magics: usize) -> (Vec<u32>, Vec<&[u8]>) {
        let (head, mut rest) = self.bodies[name].split_at(4 * magics);
        let magic = head
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| u32::from_le_bytes(*bytes))
            .collect();
        let mut entries = Vec::new();
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let (entry, tail) = tail.split_at(u32::from_le_bytes(*length) as usize);
            entries.push(entry);
            rest = tail;
        }
        (magic, entries)
    }

    /// The memory of a process from `start` to `end`.
    fn memory(&self, pid: u32, start: u64, end: u64) -> Vec<u8> {
        let (_, entries) = self.image(&format!("checkpoint/pagemap-{pid}.img"), 2);
        let id = Head::decode(entries[0]).unwrap().pages_id;
        let pages = &self.bodies[&format!("checkpoint/pages-{id}.img")];
        let mut offset = 0;
        for run in entries[1..]
            .iter()
            .map(|entry| Run::decode(*entry).unwrap())
        {
            if run.address <= start && end <= run.address + run.pages * PAGE {
                let from = usize::try_from(offset + start - run.address).unwrap();
                return pages[from..from + usize::try_from(end - start).unwrap()].to_vec();
            }
            offset += run.pages * PAGE;
        }
        panic!("{start:x}-{end:x} is not in the dump");
    }
}

// CRIU's field numbers, repeated here so that they are independent of the code under test.
#[derive(Clone, Copy, PartialEq, Message)]
struct Head {
    #[prost(uint32, tag = "1")]
    pages_id: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Run {
    #[prost(uint64, tag = "1")]
    address: u64,
    #[prost(uint32, tag = "2")]
    old_pages: u32,
    #[prost(uint64, tag = "5")]
    pages: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Process {
    #[prost(uint32, tag = "1")]
    pid: u32,
    #[prost(uint32, tag = "2")]
    parent: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Space {
    #[prost(uint64, tag = "8")]
    arg_start: u64,
    #[prost(uint64, tag = "9")]
    arg_end: u64,
    #[prost(uint64, tag = "10")]
    env_start: u64,
    #[prost(uint64, tag = "11")]
    env_end: u64,
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

async fn checkpointed() -> (Archive, u32, u32) {
    let fixture = Fixture::start().await;
    let (pod, _echo) = fixture.run_echo().await;
    let container = pod.container("app").unwrap();
    let child = children(container.pid)[0];
    let location = fixture.path("archive.tar");
    fixture.checkpoint(&container.id, &location).await.unwrap();
    (Archive::read(&location), container.pid, child)
}

#[tokio::test]
async fn an_environment_secret_is_in_spec_dump_and_all_pages() {
    let (archive, pid, child) = checkpointed().await;
    assert!(contains(
        &archive.bodies["spec.dump"],
        &format!("SECRET={SECRET}")
    ));
    for pid in [pid, child] {
        let (_, entries) = archive.image(&format!("checkpoint/pagemap-{pid}.img"), 2);
        let id = Head::decode(entries[0]).unwrap().pages_id;
        assert!(
            contains(
                &archive.bodies[&format!("checkpoint/pages-{id}.img")],
                SECRET
            ),
            "{pid}"
        );
    }
}

#[tokio::test]
async fn members_match_containerd_in_name_order_and_mode() {
    let (archive, pid, child) = checkpointed().await;
    let mut sorted = archive.names.clone();
    sorted.sort();
    assert_eq!(archive.names, sorted);
    assert_eq!(archive.names[0], "checkpoint/");
    assert_eq!(archive.modes["checkpoint/"], 0o700);
    for (name, mode) in [
        ("config.dump", 0o600),
        ("container.log", 0o600),
        ("dump.log", 0o600),
        ("rootfs-diff.tar", 0o644),
        ("spec.dump", 0o644),
        ("stats-dump", 0o644),
        ("status", 0o600),
        ("status.dump", 0o600),
        ("checkpoint/inventory.img", 0o644),
        ("checkpoint/pstree.img", 0o644),
        ("checkpoint/pages-1.img", 0o644),
        ("checkpoint/pages-2.img", 0o644),
    ] {
        assert_eq!(archive.modes.get(name), Some(&mode), "{name}");
    }
    for (image, pid) in ["core", "mm", "pagemap", "ids", "fs"]
        .iter()
        .flat_map(|image| [(image, pid), (image, child)])
    {
        assert!(
            archive
                .modes
                .contains_key(&format!("checkpoint/{image}-{pid}.img")),
            "{image} {pid}"
        );
    }
}

#[tokio::test]
async fn members_match_crio_in_name_and_order() {
    let fixture = Fixture::start_as(Dialect::CriO).await;
    let (pod, _echo) = fixture.run_echo().await;
    let path = fixture.path("archive.tar");
    fixture
        .checkpoint(&pod.containers[0].id, &path)
        .await
        .unwrap();
    let archive = Archive::read(&path);
    let around: Vec<_> = archive
        .names
        .iter()
        .map(String::as_str)
        .filter(|name| !name.starts_with("checkpoint/p"))
        .collect();
    assert_eq!(around[..3], ["stats-dump", "dump.log", "checkpoint/"]);
    assert_eq!(
        around[around.len() - 5..],
        [
            "config.dump",
            "spec.dump",
            "bind.mounts",
            "rootfs-diff.tar",
            "io.kubernetes.cri-o.LogPath"
        ]
    );
    assert!(
        archive.names.contains(&"checkpoint/pages-1.img".to_owned()),
        "{:?}",
        archive.names
    );
    let mut files = tar::Archive::new(archive.bodies["rootfs-diff.tar"].as_slice());
    let names: Vec<_> = files
        .entries()
        .unwrap()
        .map(|file| file.unwrap().path().unwrap().into_owned())
        .collect();
    assert!(
        names.contains(&"etc/app.conf".into()),
        "a plain tar: {names:?}"
    );
}

#[tokio::test]
async fn images_start_with_criu_magic_numbers() {
    let (archive, pid, _) = checkpointed().await;
    for (name, magic) in [
        ("checkpoint/inventory.img".to_owned(), vec![0x5831_3116]),
        (
            "checkpoint/pstree.img".to_owned(),
            vec![0x5456_4319, 0x5027_3030],
        ),
        (
            format!("checkpoint/core-{pid}.img"),
            vec![0x5456_4319, 0x5505_3847],
        ),
        (
            format!("checkpoint/mm-{pid}.img"),
            vec![0x5456_4319, 0x5749_2820],
        ),
        (
            format!("checkpoint/pagemap-{pid}.img"),
            vec![0x5456_4319, 0x5608_4025],
        ),
        ("stats-dump".to_owned(), vec![0x5510_5940, 0x5709_3306]),
    ] {
        assert_eq!(archive.image(&name, magic.len()).0, magic, "{name}");
    }
}

#[tokio::test]
async fn the_container_is_the_root_of_the_process_tree() {
    let (archive, pid, child) = checkpointed().await;
    let (_, entries) = archive.image("checkpoint/pstree.img", 2);
    let tree: Vec<_> = entries
        .iter()
        .map(|entry| Process::decode(*entry).unwrap())
        .collect();
    let expected = [(pid, 0), (child, pid)].map(|(pid, parent)| Process { pid, parent });
    assert_eq!(tree, expected);
}

#[tokio::test]
async fn pages_contain_command_line_and_environment() {
    let (archive, pid, child) = checkpointed().await;
    for (pid, command) in [(pid, "/bin/sh\0-c\0sleep"), (child, "sleep\x00100000\0")] {
        let (_, entries) = archive.image(&format!("checkpoint/mm-{pid}.img"), 2);
        let space = Space::decode(entries[0]).unwrap();
        assert!(
            archive
                .memory(pid, space.arg_start, space.arg_end)
                .starts_with(command.as_bytes()),
            "{pid}"
        );
        assert!(contains(
            &archive.memory(pid, space.env_start, space.env_end),
            &format!("SECRET={SECRET}\0")
        ));
    }
}

#[tokio::test]
async fn the_page_map_counts_pages_for_old_and_new_readers() {
    let (archive, pid, child) = checkpointed().await;
    for pid in [pid, child] {
        let (_, entries) = archive.image(&format!("checkpoint/pagemap-{pid}.img"), 2);
        let id = Head::decode(entries[0]).unwrap().pages_id;
        let runs: Vec<_> = entries[1..]
            .iter()
            .map(|entry| Run::decode(*entry).unwrap())
            .collect();
        let pages: u64 = runs.iter().map(|run| run.pages).sum();
        assert!(pages > 0);
        assert_eq!(
            archive.bodies[&format!("checkpoint/pages-{id}.img")].len() as u64,
            pages * PAGE
        );
        assert!(runs.iter().all(|run| u64::from(run.old_pages) == run.pages));
    }
}

#[tokio::test]
async fn the_archive_contains_files_and_names() {
    let (archive, pid, _) = checkpointed().await;
    let mut diff = tar::Archive::new(GzDecoder::new(archive.bodies["rootfs-diff.tar"].as_slice()));
    let mut files = BTreeMap::new();
    for entry in diff.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut body = String::new();
        entry.read_to_string(&mut body).unwrap();
        files.insert(entry.path().unwrap().display().to_string(), body);
    }
    assert_eq!(files["etc/app.conf"], "password=hunter2\n");
    assert_eq!(
        archive.json("config.dump")["rootfsImageName"],
        "localhost/app:1"
    );
    assert_eq!(
        archive.json("status.dump")["labels"]["io.kubernetes.pod.name"],
        "cart-0"
    );
    assert_eq!(archive.json("status")["Pid"], pid);
    let annotations = &archive.json("spec.dump")["annotations"];
    assert_eq!(annotations["io.kubernetes.cri.sandbox-namespace"], "shop");
}
