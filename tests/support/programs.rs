//! The two programs that the suite runs.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The tool. Cargo builds it together with the suite, which belongs to the same package.
pub const CKPT: &str = env!("CARGO_BIN_EXE_ckpt");

/// The daemon, in the tool's folder. It belongs to another package, so cargo does not always build it with the suite.
///
/// # Panics
/// If it is missing, or older than one of its sources.
pub fn daemon() -> &'static Path {
    static DAEMON: OnceLock<PathBuf> = OnceLock::new();
    DAEMON.get_or_init(|| {
        let program = Path::new(CKPT).with_file_name("checkpoint-gateway");
        current(&program, Path::new(env!("CARGO_MANIFEST_DIR")))
            .unwrap_or_else(|why| panic!("{} {why}; {BUILD}", program.display()));
        program
    })
}

const BUILD: &str = "build it together with the suite: \
    cargo test -p gateway-daemon -p gateway-ckpt --test program --test suite";

/// Checks that `program` was built, and from the sources in this workspace as they are now. Cargo lists those sources in a file
/// beside the program; without that file only the program itself is checked.
fn current(program: &Path, package: &Path) -> Result<(), String> {
    let built = modified(program).ok_or("is missing")?;
    let Ok(list) = std::fs::read_to_string(program.with_extension("d")) else {
        return Ok(());
    };
    let workspace = package.join("../..").canonicalize().unwrap();
    let sources = sources(&list);
    if !sources.contains(&workspace.join("gateway/daemon/src/main.rs")) {
        return Err("was built from another folder's sources".to_owned());
    }
    for source in sources {
        // A source may be gone: `cargo test` builds the program without writing its list anew.
        if modified(&source).is_some_and(|changed| changed > built) {
            return Err(format!("is older than {}", source.display()));
        }
    }
    Ok(())
}

/// The prerequisites in a makefile with a single rule, as cargo writes it (blanks in paths are escaped).
fn sources(makefile: &str) -> Vec<PathBuf> {
    let (_, list) = makefile.split_once(": ").unwrap_or_default();
    let list = list.trim_end().replace("\\ ", "\0");
    list.split(' ')
        .filter(|path| !path.is_empty())
        .map(|path| path.replace('\0', " ").into())
        .collect()
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

#[test]
fn refuses_a_daemon_that_is_missing_or_stale() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let package = root.join("gateway/ckpt");
    std::fs::create_dir_all(&package).unwrap();
    let program = root.join("checkpoint-gateway");
    assert_eq!(current(&program, &package), Err("is missing".to_owned()));

    let main = write("gateway/daemon/src/main.rs", "");
    let other = write("gateway/a b.rs", "");
    write("checkpoint-gateway", "");
    assert_eq!(current(&program, &package), Ok(()), "nothing to compare");
    let rule = |sources: &[&Path]| {
        let escaped = sources
            .iter()
            .map(|path| path.display().to_string().replace(' ', "\\ "));
        let list = escaped.collect::<Vec<_>>().join(" ");
        write("checkpoint-gateway.d", &format!("program: {list}\n"));
    };
    rule(&[&main, &other]);
    assert_eq!(current(&program, &package), Ok(()));
    rule(&[&other]);
    assert!(
        current(&program, &package)
            .unwrap_err()
            .contains("another folder")
    );

    rule(&[&main, &other]);
    let later = SystemTime::now() + std::time::Duration::from_secs(9);
    let file = std::fs::File::options().write(true).open(&other).unwrap();
    file.set_modified(later).unwrap();
    assert!(
        current(&program, &package)
            .unwrap_err()
            .contains("is older than")
    );
}
