//! Checkpoints as containerd and CRI-O write them, made up.

use std::io::{Cursor, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;

pub(crate) const PAGE: usize = 4096;
const STACK: u64 = 0x7fff_f000_0000;
const HEAP: u64 = 0x5555_0000_0000;

/// Numbers that look random and are the same every time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2) + 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    pub(crate) fn text(&mut self, length: usize) -> String {
        const LETTERS: &[u8] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=&%\"\\ $@";
        (0..length)
            .map(|_| char::from(LETTERS[self.below(LETTERS.len())]))
            .collect()
    }

    fn noise(&mut self, length: usize) -> Vec<u8> {
        (0..length)
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect()
    }
}

/// One process of a checkpoint.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<String>,
    /// Pages of heap; what is put into them is the test's.
    pub(crate) heap: Vec<u8>,
}

/// A checkpoint that a runtime could have written.
pub(crate) struct Specimen {
    pub(crate) environment: Vec<String>,
    pub(crate) arguments: Vec<String>,
    pub(crate) processes: Vec<Process>,
    pub(crate) log: Vec<u8>,
    pub(crate) rootfs: Vec<(String, Vec<u8>)>,
    pub(crate) tmpfs: Vec<(String, Vec<u8>)>,
    pub(crate) ghost: Vec<u8>,
    /// Bytes of a page on the machine that it comes from.
    pub(crate) page: usize,
}

/// The runtime that wrote an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Containerd,
    CriO,
}

pub(crate) type Members = Vec<(String, Vec<u8>)>;

impl Specimen {
    pub(crate) fn new(environment: Vec<String>) -> Self {
        let mut dice = Dice::new(7);
        let process = |pid, dice: &mut Dice| Process {
            pid,
            arguments: vec!["/app".to_owned(), format!("--worker={pid}")],
            environment: environment.clone(),
            heap: dice.noise(280 * PAGE),
        };
        Self {
            processes: vec![process(1, &mut dice), process(17, &mut dice)],
            environment,
            arguments: vec!["/app".to_owned(), "--verbose".to_owned()],
            log: b"2026-11-24T10:00:00Z stdout F started\n".to_vec(),
            rootfs: vec![("etc/hostname".to_owned(), b"cart-0\n".to_vec())],
            tmpfs: vec![("./cache".to_owned(), dice.text(50_000).into_bytes())],
            ghost: dice.noise(5000),
            page: PAGE,
        }
    }

    pub(crate) fn members(&self, runtime: Runtime) -> Members {
        let mut images = vec![("checkpoint/inventory.img".to_owned(), image(&[vec![8, 2]]))];
        images.push(("checkpoint/pstree.img".to_owned(), self.tree()));
        for (at, process) in self.processes.iter().enumerate() {
            images.extend(process.images(u64::try_from(at).unwrap() + 1, self.page));
        }
        images.push(("checkpoint/ghost-file-1.img".to_owned(), self.ghost.clone()));
        images.push((
            "checkpoint/tmpfs-dev-64.tar.gz.img".to_owned(),
            gzip(&tar(&self.tmpfs), 4),
        ));
        images.sort();
        let named = |name: &str, bytes: Vec<u8>| (name.to_owned(), bytes);
        let config = json!({"id": "c", "name": "app", "rootfsImageRef": "sha256:0"})
            .to_string()
            .into_bytes();
        let rootfs = tar(&self.rootfs);
        let mut members = Vec::new();
        match runtime {
            Runtime::Containerd => {
                members.extend(images);
                members.push(named("config.dump", config));
                members.push(named("container.log", self.log.clone()));
                members.push(named("dump.log", b"(00.000001) Dumping\n".to_vec()));
                members.push(named("rootfs-diff.tar", gzip(&rootfs, 6)));
                let spec = json!({
                    "type_url": "types.containerd.io/opencontainers/runtime-spec/1/Spec",
                    "value": STANDARD.encode(self.spec()),
                });
                members.push(named("spec.dump", spec.to_string().into_bytes()));
                members.push(named("stats-dump", image(&[vec![8, 2]])));
                members.push(named("status", br#"{"state":"RUNNING"}"#.to_vec()));
                members.push(named("status.dump", br#"{"Pid":1,"ExitCode":0}"#.to_vec()));
            }
            Runtime::CriO => {
                members.push(named("stats-dump", image(&[vec![8, 2]])));
                members.push(named("dump.log", b"(00.000001) Dumping\n".to_vec()));
                members.extend(images);
                members.push(named("config.dump", config));
                members.push(named("spec.dump", self.spec()));
                members.push(named("bind.mounts", b"[]".to_vec()));
                members.push(named("rootfs-diff.tar", rootfs));
                members.push(named("io.kubernetes.cri-o.LogPath", self.log.clone()));
            }
        }
        members
    }

    pub(crate) fn archive(&self, runtime: Runtime) -> Vec<u8> {
        tar(&self.members(runtime))
    }

    /// The first process is everyone's parent.
    fn tree(&self) -> Vec<u8> {
        let first = self
            .processes
            .first()
            .map_or(0, |process| u64::from(process.pid));
        let entry = |process: &Process| {
            let pid = u64::from(process.pid);
            let parent = if pid == first { 0 } else { first };
            message(&[
                (1, pid),
                (2, parent),
                (3, pid),
                (4, pid),
                (5, pid),
                (5, pid + 1),
            ])
        };
        image(&self.processes.iter().map(entry).collect::<Vec<_>>())
    }

    fn spec(&self) -> Vec<u8> {
        json!({
            "ociVersion": "1.2.0",
            "process": {"args": self.arguments, "env": self.environment, "cwd": "/"},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc", "options": ["mode=755"]},
                {"destination": "/data"},
            ],
            "annotations": {
                "io.kubernetes.cri.container-name": "app",
                "io.kubernetes.cri.sandbox-name": "cart-0",
                "io.kubernetes.cri.sandbox-namespace": "shop",
            },
        })
        .to_string()
        .into_bytes()
    }
}

impl Process {
    /// The environment lies across pages that do not follow the heap's.
    fn images(&self, id: u64, page: usize) -> Members {
        let strings = |all: &[String]| -> Vec<u8> {
            all.iter()
                .flat_map(|text| [text.as_bytes(), b"\0"].concat())
                .collect()
        };
        let (arguments, environment) = (strings(&self.arguments), strings(&self.environment));
        let mut stack = vec![0; 100];
        stack.extend(&arguments);
        stack.extend(&environment);
        stack.resize(stack.len().next_multiple_of(page), 0);
        let mut heap = self.heap.clone();
        heap.resize(heap.len().next_multiple_of(page), 0);
        let start = STACK + 100 + arguments.len() as u64;
        let memory = message(&[
            (1, 0),
            (8, STACK + 100),
            (9, start),
            (10, start),
            (11, start + environment.len() as u64),
        ]);
        let run = |address: u64, bytes: usize| {
            message(&[(1, address), (2, 0), (4, 4), (5, (bytes / page) as u64)])
        };
        let map = image(&[
            message(&[(1, id)]),
            run(HEAP, heap.len()),
            message(&[(1, HEAP + (1 << 30)), (2, 0), (4, 0), (5, 3)]),
            run(STACK, stack.len()),
        ]);
        vec![
            (
                format!("checkpoint/core-{}.img", self.pid),
                image(&[core(&format!("app-{}", self.pid))]),
            ),
            (
                format!("checkpoint/core-{}.img", self.pid + 1),
                image(&[message(&[(1, 1)])]),
            ),
            (format!("checkpoint/mm-{}.img", self.pid), image(&[memory])),
            (format!("checkpoint/pagemap-{}.img", self.pid), map),
            (format!("checkpoint/pages-{id}.img"), [heap, stack].concat()),
        ]
    }
}

/// A `core_entry` with the name of the process.
fn core(name: &str) -> Vec<u8> {
    let length = |bytes: usize| u8::try_from(bytes).unwrap();
    let task = [
        &message(&[(1, 1), (4, 2)]),
        [6 << 3 | 2, length(name.len())].as_slice(),
        name.as_bytes(),
    ]
    .concat();
    [
        &message(&[(1, 1)]),
        [3 << 3 | 2, length(task.len())].as_slice(),
        &task,
    ]
    .concat()
}

/// Numbers by field.
pub(crate) fn message(fields: &[(u64, u64)]) -> Vec<u8> {
    let mut message = Vec::new();
    for (number, value) in fields {
        varint(number << 3, &mut message);
        varint(*value, &mut message);
    }
    message
}

pub(crate) fn image(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut image = 0x5456_4319_u32.to_le_bytes().to_vec();
    image.extend(0x5749_2820_u32.to_le_bytes());
    for entry in entries {
        image.extend(u32::try_from(entry.len()).unwrap().to_le_bytes());
        image.extend(entry);
    }
    image
}

pub(crate) fn tar(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        builder
            .append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut read).unwrap();
    read
}

/// As any reader sees it.
pub(crate) fn read_tar(archive: &[u8]) -> Members {
    let mut members = Vec::new();
    for entry in tar::Archive::new(Cursor::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        members.push((name, bytes));
    }
    members
}

/// The archive, and everything in it that is compressed or encoded, in clear.
pub(crate) fn laid_open(archive: &[u8]) -> Vec<u8> {
    let mut all = archive.to_vec();
    for (name, bytes) in read_tar(archive) {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            all.extend(gunzip(&bytes));
        }
        if name == "spec.dump" {
            let spec: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let inner = spec["value"]
                .as_str()
                .map(|text| STANDARD.decode(text).unwrap());
            all.extend(inner.unwrap_or_default());
        }
    }
    all
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap());
}
