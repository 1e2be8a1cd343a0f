//! Seeds for the fuzz targets of `tests/fuzz`.

use std::path::Path;

use crate::specimen::{Runtime, Specimen, gzip, tar};

/// Run by hand, as `tests/fuzz/README.md` says.
#[test]
#[ignore = "writes into the directory that SEEDS names"]
fn seeds_for_the_fuzz_targets() {
    let home = std::env::var_os("SEEDS").expect("SEEDS names a directory");
    let mut specimen = Specimen::new(vec!["API_KEY=hunter2hunter2".to_owned(), "B=7".to_owned()]);
    specimen.processes.truncate(1);
    specimen
        .processes
        .iter_mut()
        .for_each(|process| process.heap.truncate(4096));
    specimen.ghost.truncate(100);
    specimen.log.extend(b"open-sesame 4111111111111111");
    specimen.tmpfs = vec![("./cache".to_owned(), b"open-sesame".to_vec())];
    for (name, runtime) in [
        ("containerd", Runtime::Containerd),
        ("cri-o", Runtime::CriO),
    ] {
        let archive = specimen.archive(runtime);
        for target in ["redact", "inspect"] {
            put(&Path::new(&home).join(target), name, &archive);
        }
        let members: Vec<u8> = specimen
            .members(runtime)
            .iter()
            .flat_map(|(name, contents)| member(name, contents))
            .collect();
        put(&Path::new(&home).join("members"), name, &members);
        put(
            &Path::new(&home).join("members"),
            &format!("{name}-gzip"),
            &member("rootfs-diff.tar", &gzip(&archive, 2)),
        );
    }
    more(Path::new(&home), &specimen);
}

/// Seeds for the targets that make an archive of what they get.
fn more(home: &Path, specimen: &Specimen) {
    let text = b"open-sesame sess_0123456789abcdef 4111111111111111".repeat(20);
    let inner = tar(&[("file".to_owned(), text.clone())]);
    let deep = gzip(&tar(&[("file".to_owned(), gzip(&inner, 6))]), 6);
    for (name, contents) in [("gzip", gzip(&text, 6)), ("tar", inner), ("deep", deep)] {
        // The first byte chooses a beginning: none.
        put(&home.join("nested"), name, &[b"\0", &contents[..]].concat());
    }
    for (name, contents) in specimen.members(Runtime::Containerd) {
        // The target adds the magic and the length of the entry.
        if name.contains("/core-") {
            put(
                &home.join("numbers"),
                &name.replace('/', "-"),
                &contents[12..],
            );
        }
    }
    put(&home.join("credentials"), "log", &text);
    put(
        &home.join("packed_pages"),
        "plain",
        &[b"\0\0\0", &text[..]].concat(),
    );
}

/// As the target `members` reads it: a byte that chooses the name, two bytes with the length, the contents.
fn member(name: &str, contents: &[u8]) -> Vec<u8> {
    let known = include_str!("../../../../tests/fuzz/targets/members.rs");
    let names = known
        .lines()
        .filter_map(|line| line.strip_prefix("    \"")?.strip_suffix("\","));
    let Some(at) = names.take(16).position(|known| known == name) else {
        return Vec::new();
    };
    let contents = &contents[..contents.len().min(usize::from(u16::MAX))];
    let length = u16::try_from(contents.len()).unwrap().to_le_bytes();
    [&[u8::try_from(at).unwrap()], &length[..], contents].concat()
}

fn put(directory: &Path, name: &str, bytes: &[u8]) {
    std::fs::create_dir_all(directory).unwrap();
    std::fs::write(directory.join(name), bytes).unwrap();
}
