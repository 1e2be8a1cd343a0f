//! Open files and sockets of a process in an archive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Anything with a descriptor, apart from sockets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OpenFile {
    /// The descriptor.
    pub fd: u64,
    /// Its kind.
    pub kind: FileKind,
    /// Its path. What looks like a secret in it is masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The access for which it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<FileAccess>,
    /// The position in the file, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// The file's size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// CRIU's number of the pipe, which both its ends have, or of a file in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipe: Option<u64>,
    /// The number of descriptors that an epoll watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watches: Option<u64>,
}

/// The kind of an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum FileKind {
    /// A regular file, a folder or a device.
    File,
    /// A pipe without a name.
    Pipe,
    /// A pipe with a name.
    Fifo,
    /// A terminal.
    Terminal,
    /// An eventfd.
    Eventfd,
    /// An epoll.
    Epoll,
    /// A signalfd.
    Signalfd,
    /// A timerfd.
    Timerfd,
    /// An inotify instance.
    Inotify,
    /// A fanotify instance.
    Fanotify,
    /// A file in memory only.
    Memfd,
    /// A pidfd.
    Pidfd,
    /// A namespace.
    Namespace,
    /// A tun or tap device.
    Tun,
    /// A map of BPF.
    BpfMap,
    /// A file that a plugin of CRIU restores.
    External,
    /// Its entry is missing, or of a kind that this program does not know.
    Unknown,
}

/// The access for which a file is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum FileAccess {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Both.
    ReadWrite,
    /// Neither: the descriptor only names the file (`O_PATH`).
    Path,
}

/// An open socket. Bytes on their way through it are never shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OpenSocket {
    /// The descriptor.
    pub fd: u64,
    /// Its family.
    pub family: SocketFamily,
    /// `tcp`, `udp`, `stream`, `datagram`, `seqpacket`, ..., or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// `listening`, `established`, `closed`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its own address: `10.1.2.3:80`, `[::1]:80`, the path of a unix socket, or `@` and the name of an abstract one. What
    /// looks like a secret in it is masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// The address of the other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The size of its send buffer in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_buffer: Option<u64>,
    /// The size of its receive buffer in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_buffer: Option<u64>,
}

/// The family of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum SocketFamily {
    /// Internet Protocol, version 4.
    Inet,
    /// Internet Protocol, version 6.
    Inet6,
    /// A unix socket.
    Unix,
    /// A netlink socket.
    Netlink,
    /// A packet socket.
    Packet,
    /// Another, or its entry is missing.
    Unknown,
}

impl OpenFile {
    /// A file of which only the kind is known.
    pub fn of(kind: FileKind) -> Self {
        Self {
            fd: 0,
            kind,
            path: None,
            access: None,
            position: None,
            bytes: None,
            pipe: None,
            watches: None,
        }
    }
}

impl OpenSocket {
    /// A socket of which only the family is known.
    pub fn of(family: SocketFamily) -> Self {
        Self {
            fd: 0,
            family,
            protocol: None,
            state: None,
            local: None,
            remote: None,
            send_buffer: None,
            receive_buffer: None,
        }
    }
}

impl FileKind {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Pipe => "pipe",
            Self::Fifo => "fifo",
            Self::Terminal => "terminal",
            Self::Eventfd => "eventfd",
            Self::Epoll => "epoll",
            Self::Signalfd => "signalfd",
            Self::Timerfd => "timerfd",
            Self::Inotify => "inotify",
            Self::Fanotify => "fanotify",
            Self::Memfd => "memfd",
            Self::Pidfd => "pidfd",
            Self::Namespace => "namespace",
            Self::Tun => "tun",
            Self::BpfMap => "bpf-map",
            Self::External => "external",
            Self::Unknown => "unknown",
        }
    }
}

impl FileAccess {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::ReadWrite => "read-write",
            Self::Path => "path",
        }
    }
}

impl SocketFamily {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Inet6 => "inet6",
            Self::Unix => "unix",
            Self::Netlink => "netlink",
            Self::Packet => "packet",
            Self::Unknown => "unknown",
        }
    }
}
