//! Writes `mm-PID.img`: the address space of a process.

use std::io::{self, Read};
use std::path::Path;

use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process, Stat};

use crate::descriptors::Files;
use crate::image::{Image, Kind};
use crate::message::{AddressSpace, Area};

/// Writes `mm-PID.img`.
pub(crate) fn write(
    process: &Process,
    stat: &Stat,
    maps: &[MemoryMap],
    files: &mut Files,
    folder: &Path,
) -> io::Result<()> {
    let heap = maps
        .iter()
        .rfind(|map| map.pathname == MMapPath::Heap)
        .map(|map| map.address.1);
    let start_brk = stat.start_brk.unwrap_or_default();
    let program = process.exe().map_err(io::Error::other)?;
    let space = AddressSpace {
        start_code: stat.startcode,
        end_code: stat.endcode,
        start_data: stat.start_data.unwrap_or_default(),
        end_data: stat.end_data.unwrap_or_default(),
        start_stack: stat.startstack,
        start_brk,
        brk: heap.unwrap_or(start_brk),
        arg_start: stat.arg_start.unwrap_or_default(),
        arg_end: stat.arg_end.unwrap_or_default(),
        env_start: stat.env_start.unwrap_or_default(),
        env_end: stat.env_end.unwrap_or_default(),
        program_file: files.regular(&program),
        auxiliary: auxiliary(process)?,
        areas: maps.iter().map(|map| area(map, files)).collect(),
    };
    Image::write(
        &folder.join(format!("mm-{}.img", stat.pid)),
        Kind::Memory,
        &space,
    )
}

/// The auxiliary vector, word by word (`getauxval(3)`).
fn auxiliary(process: &Process) -> io::Result<Vec<u64>> {
    let mut bytes = Vec::new();
    process
        .open_relative("auxv")
        .map_err(io::Error::other)?
        .read_to_end(&mut bytes)?;
    let (words, _) = bytes.as_chunks::<8>();
    Ok(words.iter().map(|word| u64::from_ne_bytes(*word)).collect())
}

fn area(map: &MemoryMap, files: &mut Files) -> Area {
    let shared = map.perms.contains(MMPermissions::SHARED);
    let file = match &map.pathname {
        MMapPath::Path(path) => Some(files.regular(path)),
        _ => None,
    };
    // MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_GROWSDOWN.
    let mut flags = if shared { 0x01 } else { 0x02 };
    // CRIU's own bits: a regular mapping, and its kind.
    let mut status = 0x001;
    match (file.is_some(), shared) {
        (true, false) => status |= 0x040,
        (true, true) => status |= 0x080,
        (false, true) => status |= 0x100,
        (false, false) => status |= 0x200,
    }
    if file.is_none() {
        flags |= 0x20;
    }
    match &map.pathname {
        MMapPath::Stack => flags |= 0x100,
        MMapPath::Heap => status |= 0x020,
        MMapPath::Vdso => status = 0x209,
        MMapPath::Vsyscall => status = 0x204,
        MMapPath::Vvar => status = 0x1201,
        MMapPath::Other(name) if name.starts_with("vvar") => status = 0x1201,
        _ => {}
    }
    let protection = [
        (MMPermissions::READ, 1),
        (MMPermissions::WRITE, 2),
        (MMPermissions::EXECUTE, 4),
    ];
    Area {
        start: map.address.0,
        end: map.address.1,
        offset: map.offset,
        file: file.unwrap_or_default().into(),
        protection: protection
            .iter()
            .filter(|(perm, _)| map.perms.contains(*perm))
            .map(|(_, bit)| bit)
            .sum(),
        flags,
        status,
        descriptor: -1,
    }
}
