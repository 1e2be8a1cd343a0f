//! 200 secrets in all places and forms, registers and the kernel's objects among them: the plain archive shows each where it was
//! put, the redacted one none anywhere, and still restores.

use std::path::Path;
use std::process::Command;

use super::harness::{Containerd, Counter, Front};
use super::redacting;
use crate::secrets::forms::{self, Secret};
use crate::secrets::planting::Planting;
use crate::secrets::view::View;
use crate::secrets::{COUNT, answers, check_plain, check_redacted};
use crate::storage::metadata;

/// Applets that the image has no links for.
const APPLETS: [&str; 6] = ["base64", "chmod", "ln", "mkdir", "rm", "tail"];

/// The first of the secrets that the kernel's objects hold, and of those in registers.
const KERNEL: usize = 96;
const REGISTERS: usize = 124;

/// Without a C library: a few kilobytes, and nothing in its memory but what it puts there.
fn program(folder: &Path) -> Vec<u8> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/secrets/places.c");
    let program = folder.join("places");
    let mut compiler = Command::new("cc");
    compiler.args("-Os -mgeneral-regs-only -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie -fcf-protection=none".split(' '));
    compiler.args("-fno-asynchronous-unwind-tables -s -Wl,--build-id=none,-z,noseparate-code,-n,--no-warn-rwx-segments".split(' '));
    Containerd::run(compiler.arg("-o").arg(&program).arg(source));
    std::fs::read(program).unwrap()
}

/// Bytes in a vector register of this machine.
fn width() -> usize {
    let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    match () {
        () if flags.contains(" avx512bw") => 64,
        () if flags.contains(" avx ") => 32,
        () => 16,
    }
}

/// As `places.c` loads them.
fn plant_registers(planting: &mut Planting, secrets: &[Secret]) {
    let width = width();
    planting.hold(&format!("./places registers {width} {REGISTERS}"));
    for (at, secret) in secrets[REGISTERS..].iter().enumerate().take(62) {
        let (place, length) = match at {
            0..16 => ("vector register", width.min(secret.value.len())),
            16..32 if width == 64 => ("upper vector register", secret.value.len()),
            32..39 if width == 64 => ("mask register", 8),
            39..47 => ("x87 register", 10),
            47..62 => ("general register", 8),
            _ => continue,
        };
        let text = &secret.value.as_bytes()[..length];
        planting.add(REGISTERS + at, place, "core-", text);
    }
}

fn plant_in_kernel(planting: &mut Planting, secrets: &[Secret]) {
    planting.hold(&format!("./places kernel {KERNEL}"));
    for (at, secret) in secrets[KERNEL..].iter().enumerate().take(27) {
        let (place, view, length) = match at {
            0..4 => ("counter", "files.img (numbers", 8),
            4..8 => ("data of epoll", "files.img (numbers", 8),
            8..12 => ("timer", "core-", 8),
            12..16 => ("queued signal", "core-", 8),
            16..18 => ("type of a message", "ipcns-msg-", 8),
            18..20 => ("message", "ipcns-msg-", usize::MAX),
            20 => ("shared memory", "checkpoint/", usize::MAX),
            21 => ("pipe", "pipes-data", usize::MAX),
            22..24 => ("socket", "sk-queues", usize::MAX),
            24 => ("memory file", "checkpoint/", usize::MAX),
            25 => ("address", "files.img", usize::MAX),
            _ => ("name of a thread", "core-", 15),
        };
        let value = secret.value.as_bytes();
        planting.add(KERNEL + at, place, view, &value[..length.min(value.len())]);
    }
}

fn planting(secrets: &[Secret], folder: &Path) -> Planting {
    let mut planting = Planting::of(secrets, "base64 -d", "container.log");
    let links = APPLETS.map(|applet| format!("busybox ln -s busybox /bin/{applet}\n"));
    planting.script.insert_str(0, &links.concat());
    let double = "BEGIN { while (length(s) < 3000000) s = s s; while (1) system(\"sleep 1000\") }";
    planting.repeat(secrets, &format!("awk -v \"s=$all\" '{double}'"));
    let some = |turn: usize| {
        let numbered = secrets.iter().enumerate();
        numbered.filter(move |(at, _)| at % 7 == turn)
    };
    planting.script += "mkdir /dev/cache\n";
    let texts = planting.texts(some(0), "tmpfs", "tmpfs-dev");
    planting.file("/dev/cache/file", &texts, "base64 -d");
    let texts = planting.texts(some(1), "deleted file", "ghost-file");
    planting.file("gone", &texts, "base64 -d");
    planting.script += "exec 9<gone; rm gone\n";
    for (number, secret) in secrets.iter().enumerate().step_by(20) {
        planting.add(number, "annotation", "spec.dump", secret.beginning());
    }
    if cfg!(target_arch = "x86_64") {
        planting.file("places", &program(folder), "base64 -d");
        planting.script += "chmod +x places\n";
        plant_registers(&mut planting, secrets);
        plant_in_kernel(&mut planting, secrets);
    }
    planting.ticking()
}

/// Checks that none of the workload's processes has ended.
fn assert_all_alive(workload: &Counter<'_>) {
    let log = std::fs::read(&workload.log).unwrap();
    let log = String::from_utf8_lossy(&log);
    let last = log.lines().rfind(|line| line.contains(" tick ")).unwrap();
    assert!(last.ends_with("all alive"), "{last}");
}

/// Copies what a scan by hand needs, where it was asked for.
fn keep(archive: &Path, name: &str) {
    if let Some(folder) = std::env::var_os("REAL_CRI_KEEP") {
        std::fs::copy(archive, Path::new(&folder).join(name)).unwrap();
    }
}

/// The values, their forms and, where they are text, the values in these forms.
fn keep_secrets(secrets: &[Secret]) {
    if let Some(folder) = std::env::var_os("REAL_CRI_KEEP") {
        let text = |secret: &Secret| String::from_utf8(secret.text.clone()).ok();
        let secrets = secrets.iter();
        let kept: Vec<_> = secrets
            .map(|secret| (&secret.value, secret.form, text(secret)))
            .collect();
        let kept = serde_json::to_vec(&kept).unwrap();
        std::fs::write(Path::new(&folder).join("secrets.json"), kept).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hides_200_secrets_wherever_they_are_and_still_restores() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let secrets = forms::secrets(COUNT);
    let front = Front::start(&containerd, redacting).await;
    let planting = planting(&secrets, front.directory.path());
    let marked = secrets.iter().enumerate().step_by(20);
    let marks = marked.flat_map(|(at, secret)| {
        ["label", "annotation"].map(|kind| format!("{kind}:shop.example/{at}={}", secret.value))
    });
    let variables = forms::variables(&secrets).into_iter();
    let variables = variables.map(|(name, value)| format!("{name}={value}"));
    let variables: Vec<_> = variables.chain(marks).collect();
    let workload = Counter::script(&containerd, "secrets", &planting.script, &variables);
    assert_all_alive(&workload);

    let plain = Front::start(&containerd, |_| {}).await;
    let before = plain.take(&workload).await;
    keep(&before, "plain.tar");
    check_plain(&before, &secrets, &planting.plants);

    let archive = front.take(&workload).await;
    keep(&archive, "redacted.tar");
    keep_secrets(&secrets);
    let mut more = answers(&front.client()).await;
    let log = std::fs::read(front.directory.path().join("audit.log")).unwrap();
    for (name, bytes) in [
        ("metadata", metadata(&archive).to_string().into_bytes()),
        ("log", front.gateway.log().join("\n").into_bytes()),
        ("audit", log),
    ] {
        let name = name.to_owned();
        more.push(View { name, bytes });
    }
    check_redacted(&archive, &more, &secrets, &planting.plants);

    drop(workload);
    let restored = Counter::restore(&containerd, "secrets-restored", &archive);
    restored.goes_on(restored.ticks().max(1));
    assert_all_alive(&restored);
}
