//! Copies the memory of a process into `pagemap-PID.img` and `pages-ID.img`.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process};

use crate::image::{Image, Kind};
use crate::message::{PageMapHead, PageRun};

/// The size of the copy buffer, in bytes.
const CHUNK: usize = 256 * 1024;
/// Entries of `/proc/PID/pagemap` that are read at once, 8 bytes each.
const ENTRIES: u64 = 512;

// Bits of an entry of `/proc/PID/pagemap` (kernel, admin-guide/mm/pagemap).
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const FILE_OR_SHARED: u64 = 1 << 61;

// Flags of an entry of `pagemap-PID.img`.
const PAGE_LAZY: u32 = 2;
const PAGE_PRESENT: u32 = 4;

/// Copies the memory of one stopped process into `pagemap-PID.img` and `pages-ID.img`, through a fixed buffer.
pub(crate) struct Pages<'a> {
    memory: File,
    pagemap: File,
    out: File,
    index: Image,
    buffer: &'a mut [u8],
    /// The number of pages that were written.
    pub(crate) written: u64,
    /// The number of pages that were looked at.
    pub(crate) scanned: u64,
}

/// Pages with consecutive addresses.
#[derive(Debug, Clone, Copy)]
struct Run {
    address: u64,
    pages: u64,
}

pub(crate) fn buffer() -> Vec<u8> {
    vec![0; CHUNK]
}

impl<'a> Pages<'a> {
    pub(crate) fn create(
        process: &Process,
        id: u32,
        folder: &Path,
        buffer: &'a mut [u8],
    ) -> io::Result<Self> {
        let mut index = Image::create(
            &folder.join(format!("pagemap-{}.img", process.pid)),
            Kind::PageMap,
        )?;
        index.entry(&PageMapHead { pages_id: id })?;
        Ok(Self {
            memory: process.open_relative("mem").map_err(io::Error::other)?,
            pagemap: process.open_relative("pagemap").map_err(io::Error::other)?,
            out: File::create_new(folder.join(format!("pages-{id}.img")))?,
            index,
            buffer,
            written: 0,
            scanned: 0,
        })
    }

    /// Copies the private pages of one mapping: those that no file could restore.
    pub(crate) fn copy(&mut self, map: &MemoryMap) -> io::Result<()> {
        if !is_dumped(map) {
            return Ok(());
        }
        let page = procfs::page_size();
        let flags = if is_anonymous(map) && map.perms.contains(MMPermissions::WRITE) {
            PAGE_LAZY | PAGE_PRESENT
        } else {
            PAGE_PRESENT
        };
        let (mut address, end) = map.address;
        let mut open: Option<Run> = None;
        let mut entries = [0; 8 * 512];
        while address < end {
            let count = ((end - address) / page).min(ENTRIES);
            let bytes = usize::try_from(count * 8).map_err(io::Error::other)?;
            let entries = entries.get_mut(..bytes).unwrap_or_default();
            self.pagemap.read_exact_at(entries, address / page * 8)?;
            self.scanned += count;
            let (entries, _) = entries.as_chunks::<8>();
            for entry in entries {
                if is_own(u64::from_ne_bytes(*entry)) {
                    open.get_or_insert(Run { address, pages: 0 }).pages += 1;
                } else if let Some(run) = open.take() {
                    self.copy_run(run, flags)?;
                }
                address += page;
            }
        }
        open.map_or(Ok(()), |run| self.copy_run(run, flags))
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        self.index.finish()
    }

    fn copy_run(&mut self, run: Run, flags: u32) -> io::Result<()> {
        self.index.entry(&PageRun {
            address: run.address,
            old_pages: u32::try_from(run.pages).unwrap_or(u32::MAX),
            flags: Some(flags),
            pages: Some(run.pages),
        })?;
        let (mut at, end) = (run.address, run.address + run.pages * procfs::page_size());
        while at < end {
            let length = usize::try_from(end - at)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let chunk = self.buffer.get_mut(..length).unwrap_or_default();
            self.memory.read_exact_at(chunk, at)?;
            self.out.write_all(chunk)?;
            at += chunk.len() as u64;
        }
        self.written += run.pages;
        Ok(())
    }
}

/// Whether a mapping is dumped: the kernel's own mappings cannot be read, and shared ones are not private to the process.
fn is_dumped(map: &MemoryMap) -> bool {
    let ours = match &map.pathname {
        MMapPath::Vdso | MMapPath::Vvar | MMapPath::Vsyscall => false,
        MMapPath::Other(name) => !name.starts_with("vvar"),
        _ => true,
    };
    ours && map
        .perms
        .contains(MMPermissions::PRIVATE | MMPermissions::READ)
}

fn is_anonymous(map: &MemoryMap) -> bool {
    !matches!(map.pathname, MMapPath::Path(_))
}

fn is_own(entry: u64) -> bool {
    entry & (PRESENT | SWAPPED) != 0 && entry & FILE_OR_SHARED == 0
}
