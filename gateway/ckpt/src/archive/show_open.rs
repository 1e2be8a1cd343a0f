//! Prints what processes have open: folders, files and sockets.

use gateway_core::{FileAccess, FileKind, Inspection, OpenFile, OpenSocket, SocketFamily};

use super::row::MAX_LINE;
use crate::table::{Table, or_dash, plain};

/// Prints each process's program and folders. Nothing where the archive does not have them.
pub(super) fn folders(found: &Inspection) {
    let mut table = Table::new(["PID", "WORKING DIRECTORY", "ROOT", "PROGRAM"])
        .indented(2)
        .right_aligned(&[0]);
    for process in &found.processes {
        let cells = [&process.cwd, &process.root, &process.executable];
        if cells.iter().any(|cell| cell.is_some()) {
            let [cwd, root, program] = cells.map(|cell| or_dash(cell.as_deref()));
            table.row_up_to(
                MAX_LINE,
                [plain(process.pid.to_string()), cwd, root, program],
            );
        }
    }
    table.finish();
}

/// Whether the archive says where processes work.
pub(super) fn has_folders(found: &Inspection) -> bool {
    found
        .processes
        .iter()
        .any(|process| process.cwd.is_some() || process.executable.is_some())
}

/// Prints the open files of all processes.
pub(super) fn files(found: &Inspection) {
    let mut table = Table::new(["PID", "FD", "KIND", "ACCESS", "FILE"])
        .indented(2)
        .right_aligned(&[0, 1]);
    for process in &found.processes {
        for file in &process.files {
            let cells = [
                plain(process.pid.to_string()),
                plain(file.fd.to_string()),
                plain(file.kind.as_str()),
                or_dash(file.access.map(FileAccess::as_str)),
                plain(in_words(file)),
            ];
            table.row_up_to(MAX_LINE, cells);
        }
    }
    table.finish();
}

/// Prints the open sockets of all processes.
pub(super) fn sockets(found: &Inspection) {
    let headings = ["PID", "FD", "SOCKET", "STATE", "LOCAL", "REMOTE"];
    let mut table = Table::new(headings).indented(2).right_aligned(&[0, 1]);
    for process in &found.processes {
        for socket in &process.sockets {
            let cells = [
                plain(process.pid.to_string()),
                plain(socket.fd.to_string()),
                plain(kind(socket)),
                or_dash(socket.state.as_deref()),
                or_dash(socket.local.as_deref()),
                or_dash(socket.remote.as_deref()),
            ];
            table.row_up_to(MAX_LINE, cells);
        }
    }
    table.finish();
}

fn in_words(file: &OpenFile) -> String {
    let number = |name: &str, number: Option<u64>| number.map(|number| format!("{name} {number}"));
    let about = match file.kind {
        FileKind::Pipe | FileKind::Fifo => number("pipe", file.pipe),
        FileKind::Memfd => number("file in memory", file.pipe),
        FileKind::Epoll => number("watches", file.watches),
        FileKind::File => match (file.position, file.bytes) {
            (Some(at), Some(bytes)) if at > 0 => Some(format!("at {at} of {bytes} bytes")),
            (Some(at), None) if at > 0 => Some(format!("at {at}")),
            (_, Some(bytes)) => Some(format!("{bytes} bytes")),
            _ => None,
        },
        _ => None,
    };
    match (&file.path, about) {
        (Some(path), Some(about)) => format!("{path}  ({about})"),
        (Some(path), None) => path.clone(),
        (None, Some(about)) => about,
        (None, None) => "-".to_owned(),
    }
}

/// `tcp`, `unix stream`, `netlink route`, ...
fn kind(socket: &OpenSocket) -> String {
    let protocol = socket.protocol.as_deref().unwrap_or("?");
    match socket.family {
        SocketFamily::Inet | SocketFamily::Inet6 => protocol.to_owned(),
        family => format!("{} {protocol}", family.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_sockets_have_words() {
        let file = OpenFile {
            path: Some("/data/log".to_owned()),
            position: Some(7),
            bytes: Some(9),
            ..OpenFile::of(FileKind::File)
        };
        assert_eq!(in_words(&file), "/data/log  (at 7 of 9 bytes)");
        assert_eq!(in_words(&OpenFile::of(FileKind::Eventfd)), "-");
        let socket = OpenSocket {
            protocol: Some("stream".to_owned()),
            ..OpenSocket::of(SocketFamily::Unix)
        };
        assert_eq!(kind(&socket), "unix stream");
    }
}
