//! Writes a dump as a tar archive.

use std::io;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::author::Dialect;
use crate::location::{Location, WriteError};

/// Bytes that are copied at once. A fault that waits between chunks waits after each of these.
const CHUNK: usize = 64 * 1024;
/// The size of a tar block, in bytes. A tar ends with two empty blocks (POSIX.1, pax).
const BLOCK: usize = 512;

/// One member of an archive.
#[derive(Debug)]
struct Member {
    name: String,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Folder,
    File(PathBuf),
    /// Pages that are generated while they are written.
    Pages(u64),
}

/// The members before CRI-O's images, in this order: the name in the dump and the name in the archive.
const CRIO_BEFORE: [(&str, &str); 2] = [("stats-dump", "stats-dump"), ("dump.log", "dump.log")];
/// The members after CRI-O's images, likewise.
const CRIO_AFTER: [(&str, &str); 5] = [
    ("config.dump", "config.dump"),
    ("spec.dump", "spec.dump"),
    ("bind.mounts", "bind.mounts"),
    ("rootfs-diff.tar", "rootfs-diff.tar"),
    ("container.log", "io.kubernetes.cri-o.LogPath"),
];

/// Writes the dump in `folder` as the runtime of that `dialect` does: an uncompressed tar. containerd's starts with
/// `checkpoint/` and its names are sorted.
pub(crate) async fn write(
    folder: &Path,
    dialect: Dialect,
    extra: Option<u64>,
    to: &mut Location,
) -> Result<(), WriteError> {
    let mut buffer = vec![0; CHUNK];
    for member in members(folder, dialect, extra).map_err(WriteError::Dump)? {
        match &member.body {
            Body::Folder => {
                to.put(header(&member.name, 0o700, 0, EntryType::Directory)?.as_bytes())
                    .await?;
            }
            Body::File(path) => write_file(&member.name, path, &mut buffer, to).await?,
            Body::Pages(bytes) => write_pages(&member.name, *bytes, &mut buffer, to).await?,
        }
    }
    to.put(&[0; 2 * BLOCK]).await?;
    to.finish().await
}

async fn write_file(
    name: &str,
    path: &Path,
    buffer: &mut [u8],
    to: &mut Location,
) -> Result<(), WriteError> {
    let file = File::open(path).await.map_err(WriteError::Dump)?;
    let size = file.metadata().await.map_err(WriteError::Dump)?.len();
    to.put(header(name, mode(name), size, EntryType::Regular)?.as_bytes())
        .await?;
    let mut file = file.take(size);
    loop {
        let length = file.read(buffer).await.map_err(WriteError::Dump)?;
        if length == 0 {
            break;
        }
        to.put(buffer.get(..length).unwrap_or_default()).await?;
    }
    pad(size, to).await
}

/// Writes pages that do not compress. Every page differs from the others and is the same every time.
async fn write_pages(
    name: &str,
    bytes: u64,
    buffer: &mut [u8],
    to: &mut Location,
) -> Result<(), WriteError> {
    let size = bytes.next_multiple_of(procfs::page_size());
    to.put(header(name, mode(name), size, EntryType::Regular)?.as_bytes())
        .await?;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut left = size;
    while left > 0 {
        for word in buffer.as_chunks_mut::<8>().0 {
            // Marsaglia's xorshift64.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *word = state.to_le_bytes();
        }
        let length = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        to.put(buffer.get(..length).unwrap_or_default()).await?;
        left -= length as u64;
    }
    pad(size, to).await
}

async fn pad(size: u64, to: &mut Location) -> Result<(), WriteError> {
    let block = BLOCK as u64;
    let rest = usize::try_from(size.next_multiple_of(block) - size).unwrap_or_default();
    to.put([0; BLOCK].get(..rest).unwrap_or_default()).await
}

fn members(folder: &Path, dialect: Dialect, extra: Option<u64>) -> io::Result<Vec<Member>> {
    let mut images = images(folder, extra)?;
    let renamed = |(here, there): &(&str, &str)| Member {
        name: (*there).to_owned(),
        body: Body::File(folder.join(here)),
    };
    Ok(match dialect {
        Dialect::Containerd => {
            images.extend(
                files(folder, "")?
                    .into_iter()
                    .filter(|member| member.name != "bind.mounts"),
            );
            images.sort_by(|one, other| one.name.cmp(&other.name));
            images
        }
        Dialect::CriO => CRIO_BEFORE
            .iter()
            .map(renamed)
            .chain(images)
            .chain(CRIO_AFTER.iter().map(renamed))
            .collect(),
    })
}

/// `checkpoint/` and its members, sorted.
fn images(folder: &Path, extra: Option<u64>) -> io::Result<Vec<Member>> {
    let mut images = files(&folder.join("checkpoint"), "checkpoint/")?;
    if let Some(bytes) = extra {
        let pages = images
            .iter()
            .filter(|image| image.name.starts_with("checkpoint/pages-"))
            .count();
        images.push(Member {
            name: format!("checkpoint/pages-{}.img", pages + 1),
            body: Body::Pages(bytes),
        });
    }
    images.push(Member {
        name: "checkpoint/".to_owned(),
        body: Body::Folder,
    });
    images.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(images)
}

fn files(folder: &Path, prefix: &str) -> io::Result<Vec<Member>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(Member {
                name: format!("{prefix}{}", entry.file_name().display()),
                body: Body::File(entry.path()),
            });
        }
    }
    Ok(files)
}

/// The mode of a member in containerd's archives.
fn mode(name: &str) -> u32 {
    match name {
        "bind.mounts"
        | "config.dump"
        | "container.log"
        | "io.kubernetes.cri-o.LogPath"
        | "dump.log"
        | "status"
        | "status.dump" => 0o600,
        _ => 0o644,
    }
}

fn header(name: &str, mode: u32, size: u64, kind: EntryType) -> Result<Header, WriteError> {
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(WriteError::Dump)?;
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default());
    header.set_cksum();
    Ok(header)
}
