//! Writes `rootfs-diff.tar`.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::OFlags;
use tar::{Builder, EntryType, Header};

use crate::author::Dialect;

type Diff<'a> = Builder<&'a mut dyn Write>;

/// Writes the content of a container's working directory as `rootfs-diff.tar`: a tar, compressed with gzip as in containerd
/// or plain as in CRI-O. The container runs meanwhile, so each file has the length that it had when it was opened, and deleted
/// files are omitted. So are sockets, devices and FIFOs.
pub(crate) fn write(rootfs: &Path, to: &Path, dialect: Dialect) -> io::Result<()> {
    let file = File::create_new(to)?;
    match dialect {
        Dialect::Containerd => {
            let mut compressed = GzEncoder::new(file, Compression::fast());
            write_to(&mut compressed, rootfs)?;
            compressed.finish()?.flush()
        }
        Dialect::CriO => write_to(&mut &file, rootfs),
    }
}

fn write_to(out: &mut dyn Write, rootfs: &Path) -> io::Result<()> {
    let mut diff = Builder::new(out);
    add_folder(&mut diff, rootfs, Path::new(""))?;
    diff.into_inner()?.flush()
}

fn add_folder(diff: &mut Diff<'_>, folder: &Path, name: &Path) -> io::Result<()> {
    let mut names: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    for entry in names {
        let (path, name) = (folder.join(&entry), name.join(&entry));
        match add(diff, &path, &name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            added => added?,
        }
    }
    Ok(())
}

fn add(diff: &mut Diff<'_>, path: &Path, name: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        diff.append_data(
            &mut header(&metadata, EntryType::Directory, 0),
            name,
            io::empty(),
        )?;
        add_folder(diff, path, name)
    } else if metadata.is_symlink() {
        let target = fs::read_link(path)?;
        diff.append_link(&mut header(&metadata, EntryType::Symlink, 0), name, target)
    } else if metadata.is_file() {
        // A FIFO or a link that has replaced the file must not block or be followed.
        let file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
            .open(path)?;
        let contents = file.chain(io::repeat(0)).take(metadata.len());
        diff.append_data(
            &mut header(&metadata, EntryType::Regular, metadata.len()),
            name,
            contents,
        )
    } else {
        Ok(())
    }
}

fn header(metadata: &Metadata, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_metadata(metadata);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(metadata.mode() & 0o7777);
    header
}

fn flags(flags: OFlags) -> i32 {
    i32::from_ne_bytes(flags.bits().to_ne_bytes())
}
