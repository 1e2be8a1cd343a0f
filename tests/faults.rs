//! Requests are refused while the disk of the audit log hangs or is read-only.

use std::path::{Path, PathBuf};
use std::process::Command;

use http::StatusCode;
use rustix::process::Signal;

use crate::support::World;
use crate::support::world::{PATH, set};

/// A mounted ext4 of 16 MiB in a file, unmounted on drop. Needs root and a loop device.
struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// `None`, with a message, if it cannot be mounted.
    fn mount(home: &Path) -> Option<Self> {
        let disk = Self {
            image: home.join("image"),
            mount: home.join("disk"),
        };
        std::fs::create_dir(&disk.mount).unwrap();
        std::fs::File::create(&disk.image)
            .unwrap()
            .set_len(16 << 20)
            .unwrap();
        let mounted = run("mkfs.ext4", &["-q".as_ref(), disk.image.as_ref()]) && disk.attach();
        if !mounted {
            eprintln!("skipped: no right to mount an ext4 on a loop device, or no mkfs.ext4");
        }
        mounted.then_some(disk)
    }

    fn attach(&self) -> bool {
        let options = "loop,errors=remount-ro";
        run(
            "mount",
            &[
                "-o".as_ref(),
                options.as_ref(),
                self.image.as_ref(),
                self.mount.as_ref(),
            ],
        )
    }

    fn detach(&self) -> bool {
        run("umount", &[self.mount.as_ref()])
    }

    /// Lets every write wait from now on.
    fn freeze(&self) {
        assert!(run("fsfreeze", &["-f".as_ref(), self.mount.as_ref()]));
    }

    fn thaw(&self) -> bool {
        run("fsfreeze", &["-u".as_ref(), self.mount.as_ref()])
    }

    /// Makes the file system read-only, as the kernel does after an error.
    fn break_down(&self) {
        let source = Command::new("findmnt")
            .args(["-n", "-o", "SOURCE"])
            .arg(&self.mount)
            .output()
            .unwrap();
        let device = PathBuf::from(String::from_utf8(source.stdout).unwrap().trim());
        let trigger = Path::new("/sys/fs/ext4")
            .join(device.file_name().unwrap())
            .join("trigger_fs_error");
        std::fs::write(trigger, "1").unwrap();
    }

    fn repair(&self) {
        assert!(self.detach());
        // 1: errors were found and corrected.
        let status = Command::new("e2fsck")
            .args(["-f", "-p"])
            .arg(&self.image)
            .output()
            .unwrap()
            .status;
        assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        assert!(self.attach());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.thaw();
        let _ = Command::new("umount").arg("-l").arg(&self.mount).output();
    }
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> bool {
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

async fn logging_to(disk: &Disk) -> World {
    let log = disk.mount.join("audit.log");
    World::with(|config| set(config, "audit.file", log.to_str().unwrap())).await
}

/// Checks that a request is refused before the runtime is called, while health checks are answered.
async fn assert_refused(world: &World) {
    let calls = world.node.checkpoint_calls();
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "audit-unavailable")
    );
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(
        world.node.checkpoint_calls(),
        calls,
        "the container was touched"
    );
    world
        .gateway
        .counted("checkpoint_gateway_audit_failures_total", 1.0)
        .await;
    let live = crate::support::client::admin(world.gateway.admin, "/livez").await;
    assert_eq!(live.status, StatusCode::OK);
    let ready = crate::support::client::admin(world.gateway.admin, "/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
}

async fn capture(world: &World) {
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

fn verified(log: &Path) -> u64 {
    gateway_audit::verify(log, &gateway_audit::Expected::default())
        .unwrap()
        .records
}

#[tokio::test]
async fn hanging_disk_refuses_requests_until_it_recovers() {
    let home = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(home.path()) else {
        return;
    };
    let world = logging_to(&disk).await;
    capture(&world).await;
    disk.freeze();
    assert_refused(&world).await;
    assert!(disk.thaw());
    capture(&world).await;
    assert!(verified(&disk.mount.join("audit.log")) >= 4);
}

#[tokio::test]
async fn log_continues_after_a_read_only_disk_is_repaired() {
    let home = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(home.path()) else {
        return;
    };
    let mut world = logging_to(&disk).await;
    capture(&world).await;
    disk.break_down();
    assert_refused(&world).await;
    world.gateway.signal(Signal::KILL);
    world.gateway.wait().await;
    disk.repair();
    let log = disk.mount.join("audit.log");
    let before = verified(&log);
    assert!(before >= 2);
    let world = world.restarted().await;
    capture(&world).await;
    assert!(verified(&log) >= before + 2);
}
