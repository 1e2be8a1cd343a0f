//! The protobuf messages of CRIU's images, with the numbers of CRIU 4.2.1. Only the fields that are written here are declared.
//! `required` fields are written even if they are zero, because readers of proto2 require them.

use prost::Message;

/// `inventory.img`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Inventory {
    /// 2: with the common magic.
    #[prost(uint32, required, tag = "1")]
    pub(crate) image_version: u32,
    #[prost(bool, optional, tag = "2")]
    pub(crate) descriptors_per_id: Option<bool>,
    #[prost(message, optional, tag = "3")]
    pub(crate) root_ids: Option<Ids>,
    #[prost(bool, optional, tag = "4")]
    pub(crate) namespaces_per_id: Option<bool>,
    #[prost(string, optional, tag = "13")]
    pub(crate) run_id: Option<String>,
}

/// `ids-PID.img`: processes with the same number share that resource.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Ids {
    #[prost(uint32, required, tag = "1")]
    pub(crate) memory: u32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) files: u32,
    #[prost(uint32, required, tag = "3")]
    pub(crate) folders: u32,
    #[prost(uint32, required, tag = "4")]
    pub(crate) signals: u32,
}

/// One process in `pstree.img`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct TreeEntry {
    #[prost(uint32, required, tag = "1")]
    pub(crate) pid: u32,
    /// 0 for the first process.
    #[prost(uint32, required, tag = "2")]
    pub(crate) parent: u32,
    #[prost(uint32, required, tag = "3")]
    pub(crate) group: u32,
    #[prost(uint32, required, tag = "4")]
    pub(crate) session: u32,
    #[prost(uint32, repeated, packed = "false", tag = "5")]
    pub(crate) threads: Vec<u32>,
}

/// `core-PID.img` and, for each further thread, `core-TID.img`, without registers.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Core {
    #[prost(int32, required, tag = "1")]
    pub(crate) machine: i32,
    #[prost(message, optional, tag = "3")]
    pub(crate) task: Option<Task>,
    #[prost(message, optional, tag = "4")]
    pub(crate) ids: Option<Ids>,
    #[prost(message, optional, tag = "5")]
    pub(crate) thread: Option<Thread>,
}

/// The part of `core-PID.img` that belongs to one thread. A process that has ended has none.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Thread {
    #[prost(uint64, required, tag = "1")]
    pub(crate) robust_list: u64,
    #[prost(uint32, required, tag = "2")]
    pub(crate) robust_list_length: u32,
}

/// The part of `core-PID.img` that all machines share.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Task {
    /// 1: alive; 2: ended, and not waited for.
    #[prost(uint32, required, tag = "1")]
    pub(crate) state: u32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) exit_code: u32,
    #[prost(uint32, required, tag = "3")]
    pub(crate) personality: u32,
    #[prost(uint32, required, tag = "4")]
    pub(crate) flags: u32,
    #[prost(uint64, required, tag = "5")]
    pub(crate) blocked_signals: u64,
    #[prost(string, required, tag = "6")]
    pub(crate) command: String,
}

/// `mm-PID.img`: the layout of a process's address space.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct AddressSpace {
    #[prost(uint64, required, tag = "1")]
    pub(crate) start_code: u64,
    #[prost(uint64, required, tag = "2")]
    pub(crate) end_code: u64,
    #[prost(uint64, required, tag = "3")]
    pub(crate) start_data: u64,
    #[prost(uint64, required, tag = "4")]
    pub(crate) end_data: u64,
    #[prost(uint64, required, tag = "5")]
    pub(crate) start_stack: u64,
    #[prost(uint64, required, tag = "6")]
    pub(crate) start_brk: u64,
    #[prost(uint64, required, tag = "7")]
    pub(crate) brk: u64,
    #[prost(uint64, required, tag = "8")]
    pub(crate) arg_start: u64,
    #[prost(uint64, required, tag = "9")]
    pub(crate) arg_end: u64,
    #[prost(uint64, required, tag = "10")]
    pub(crate) env_start: u64,
    #[prost(uint64, required, tag = "11")]
    pub(crate) env_end: u64,
    #[prost(uint32, required, tag = "12")]
    pub(crate) program_file: u32,
    #[prost(uint64, repeated, packed = "false", tag = "13")]
    pub(crate) auxiliary: Vec<u64>,
    #[prost(message, repeated, tag = "14")]
    pub(crate) areas: Vec<Area>,
}

/// One mapping in `mm-PID.img`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Area {
    #[prost(uint64, required, tag = "1")]
    pub(crate) start: u64,
    #[prost(uint64, required, tag = "2")]
    pub(crate) end: u64,
    #[prost(uint64, required, tag = "3")]
    pub(crate) offset: u64,
    /// The file that is mapped, or 0.
    #[prost(uint64, required, tag = "4")]
    pub(crate) file: u64,
    /// As `mmap(2)` takes it.
    #[prost(uint32, required, tag = "5")]
    pub(crate) protection: u32,
    /// As `mmap(2)` takes them.
    #[prost(uint32, required, tag = "6")]
    pub(crate) flags: u32,
    /// The kind of mapping in CRIU's terms.
    #[prost(uint32, required, tag = "7")]
    pub(crate) status: u32,
    #[prost(sint64, required, tag = "8")]
    pub(crate) descriptor: i64,
}

/// The first entry of `pagemap-PID.img`: the pages are in `pages-ID.img`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct PageMapHead {
    #[prost(uint32, required, tag = "1")]
    pub(crate) pages_id: u32,
}

/// Every other entry of `pagemap-PID.img`: pages that are consecutive in memory and in `pages-ID.img`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct PageRun {
    #[prost(uint64, required, tag = "1")]
    pub(crate) address: u64,
    /// The count for readers that do not know `pages`. CRIU 4.2 writes 0, and those readers then find no command line.
    #[prost(uint32, required, tag = "2")]
    pub(crate) old_pages: u32,
    #[prost(uint32, optional, tag = "4")]
    pub(crate) flags: Option<u32>,
    #[prost(uint64, optional, tag = "5")]
    pub(crate) pages: Option<u64>,
}

/// One open file in `files.img`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct FileEntry {
    /// 1: regular, 2: pipe.
    #[prost(int32, required, tag = "1")]
    pub(crate) kind: i32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) id: u32,
    #[prost(message, optional, tag = "3")]
    pub(crate) regular: Option<RegularFile>,
    #[prost(message, optional, tag = "18")]
    pub(crate) pipe: Option<Pipe>,
}

/// A file with a name.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct RegularFile {
    #[prost(uint32, required, tag = "1")]
    pub(crate) id: u32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) flags: u32,
    #[prost(uint64, required, tag = "3")]
    pub(crate) position: u64,
    #[prost(message, required, tag = "5")]
    pub(crate) owner: Owner,
    #[prost(string, required, tag = "6")]
    pub(crate) name: String,
}

/// One end of a pipe.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Pipe {
    #[prost(uint32, required, tag = "1")]
    pub(crate) id: u32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) inode: u32,
    #[prost(uint32, required, tag = "3")]
    pub(crate) flags: u32,
    #[prost(message, required, tag = "4")]
    pub(crate) owner: Owner,
}

/// The process that is signalled about a file (`F_SETOWN`).
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Owner {
    #[prost(uint32, required, tag = "1")]
    pub(crate) uid: u32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) effective_uid: u32,
    #[prost(uint32, required, tag = "3")]
    pub(crate) signal: u32,
    #[prost(uint32, required, tag = "4")]
    pub(crate) pid_type: u32,
    #[prost(uint32, required, tag = "5")]
    pub(crate) pid: u32,
}

/// One descriptor in `fdinfo-ID.img`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Descriptor {
    #[prost(uint32, required, tag = "1")]
    pub(crate) file: u32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) flags: u32,
    #[prost(int32, required, tag = "3")]
    pub(crate) kind: i32,
    #[prost(uint32, required, tag = "4")]
    pub(crate) number: u32,
}

/// `fs-PID.img`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Folders {
    #[prost(uint32, required, tag = "1")]
    pub(crate) working: u32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) root: u32,
}

/// `stats-dump`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Stats {
    #[prost(message, optional, tag = "1")]
    pub(crate) dump: Option<DumpStats>,
}

/// The duration of the dump in microseconds, and the number of pages.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct DumpStats {
    #[prost(uint32, required, tag = "1")]
    pub(crate) freezing_time: u32,
    #[prost(uint32, required, tag = "2")]
    pub(crate) frozen_time: u32,
    #[prost(uint32, required, tag = "3")]
    pub(crate) memdump_time: u32,
    #[prost(uint32, required, tag = "4")]
    pub(crate) memwrite_time: u32,
    #[prost(uint64, required, tag = "5")]
    pub(crate) pages_scanned: u64,
    #[prost(uint64, required, tag = "6")]
    pub(crate) pages_skipped: u64,
    #[prost(uint64, required, tag = "7")]
    pub(crate) pages_written: u64,
    #[prost(uint64, required, tag = "9")]
    pub(crate) pages_lazy: u64,
}
