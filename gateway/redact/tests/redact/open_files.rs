//! What inspection tells about open files, sockets, folders, statistics and annotations.

use std::io::Cursor;

use gateway_core::{
    DumpStatistics, FileAccess, FileKind, Inspection, OpenFile, OpenSocket, ProcessState,
    SocketFamily,
};
use gateway_redact::inspect;

use crate::specimen::{Members, Runtime, Specimen, image, message, tar};

const TOKEN: &str = "glpat-Xk29vQ_zLm4Tn8RbWc3Y";

/// A text or a message in a field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    assert!(number < 32 && length < 128);
    let tag = u32::from(number) << 3 | 2;
    let mut field = message(&[]);
    if tag >= 128 {
        field.push(u8::try_from(tag & 127).unwrap() | 128);
    }
    field.push(u8::try_from(if tag >= 128 { tag >> 7 } else { tag }).unwrap());
    field.push(length);
    [field.as_slice(), bytes].concat()
}

fn joined(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

/// A `file_entry` of this type and number, whose message has the field `number`.
fn entry(kind: u64, id: u64, number: u8, body: &[u8]) -> Vec<u8> {
    joined(&[message(&[(1, kind), (2, id)]), field(number, body)])
}

fn regular(id: u64, name: &str) -> Vec<u8> {
    let body = joined(&[
        message(&[(1, id), (2, 0o2), (3, 12)]),
        field(6, name.as_bytes()),
        message(&[(8, 40)]),
    ]);
    entry(1, id, 3, &body)
}

fn inet(id: u64) -> Vec<u8> {
    let words = [10, 0, 0, 7];
    let address = u64::from(u32::from_le_bytes(words));
    let numbers = [
        (1, id),
        (2, 9),
        (3, 2),
        (4, 1),
        (5, 6),
        (6, 1),
        (7, 8080),
        (8, 40_000),
    ];
    let body = joined(&[
        message(&numbers),
        message(&[
            (11, address),
            (12, u64::from(u32::from_le_bytes([127, 0, 0, 1]))),
        ]),
        field(14, &message(&[(1, 16_384), (2, 131_072)])),
    ]);
    entry(4, id, 4, &body)
}

fn listening_v6(id: u64) -> Vec<u8> {
    let numbers = [
        (1, id),
        (2, 9),
        (3, 10),
        (4, 1),
        (5, 6),
        (6, 10),
        (7, 443),
        (8, 0),
    ];
    let last = u64::from(u32::from_le_bytes([0, 0, 0, 1]));
    // The words of the address, packed.
    let mut packed = message(&[(0, last)]).split_off(1);
    packed.splice(0..0, [0, 0, 0]);
    let body = joined(&[message(&numbers), field(11, &packed)]);
    entry(4, id, 4, &body)
}

fn unix(id: u64, name: &[u8]) -> Vec<u8> {
    let body = joined(&[
        message(&[(1, id), (2, 9), (3, 1), (4, 10)]),
        field(11, name),
    ]);
    entry(5, id, 16, &body)
}

fn members() -> Members {
    let mut members = Specimen::new(vec!["PATH=/bin".to_owned()]).members(Runtime::Containerd);
    let files = image(&[
        regular(1, "/"),
        regular(2, "/srv/app"),
        regular(3, &format!("/srv/{TOKEN}/log")),
        entry(2, 4, 18, &message(&[(1, 4), (2, 77), (3, 1)])),
        inet(5),
        listening_v6(6),
        unix(7, b"/run/app.sock\0"),
        unix(8, b"\0inner"),
        entry(7, 9, 9, &joined(&[field(4, b""), field(4, b"")])),
        entry(3, 10, 17, &message(&[(1, 10), (2, 78), (3, 11)])),
        regular(11, "/run/fifo"),
        entry(6, 12, 8, &message(&[(4, u64::MAX)])),
    ]);
    let descriptor =
        |fd: u64, kind: u64, file: u64| message(&[(1, file), (2, 0), (3, kind), (4, fd)]);
    let table = [
        (3, 1, 3),
        (4, 2, 4),
        (5, 4, 5),
        (6, 4, 6),
        (7, 5, 7),
        (8, 5, 8),
        (9, 7, 9),
        (10, 3, 10),
        (11, 6, 12),
        (12, 1, 999),
    ];
    let table = table.map(|(fd, kind, file)| descriptor(fd, kind, file));
    let dump = [
        (1, 10),
        (2, 2000),
        (3, 300),
        (4, 40),
        (5, 50),
        (6, 6),
        (7, 7),
        (14, 1),
    ];
    let statistics = members.iter_mut().find(|(name, _)| name == "stats-dump");
    statistics.unwrap().1 = image(&[field(1, &message(&dump))]);
    for (name, bytes) in [
        ("files", files),
        ("ids-1", image(&[message(&[(1, 1), (2, 4)])])),
        ("ids-17", image(&[message(&[(1, 2), (2, 4)])])),
        ("fs-1", image(&[message(&[(1, 2), (2, 1), (3, 18)])])),
        ("fdinfo-4", image(&table)),
    ] {
        members.push((format!("checkpoint/{name}.img"), bytes));
    }
    members
}

fn look(members: &Members) -> Inspection {
    inspect(&mut Cursor::new(tar(members)), None).unwrap()
}

#[test]
fn lists_open_files_by_descriptor() {
    let found = look(&members());
    let process = &found.processes[0];
    assert_eq!(process.state, Some(ProcessState::Alive));
    assert_eq!(
        (process.cwd.as_deref(), process.root.as_deref()),
        (Some("/srv/app"), Some("/"))
    );
    let of = |fd, kind| OpenFile {
        fd,
        ..OpenFile::of(kind)
    };
    let files = [
        OpenFile {
            path: Some(format!("/srv/{}/log", "*".repeat(TOKEN.len()))),
            access: Some(FileAccess::ReadWrite),
            position: Some(12),
            bytes: Some(40),
            ..of(3, FileKind::File)
        },
        OpenFile {
            access: Some(FileAccess::Write),
            pipe: Some(77),
            ..of(4, FileKind::Pipe)
        },
        OpenFile {
            watches: Some(2),
            ..of(9, FileKind::Epoll)
        },
        OpenFile {
            pipe: Some(78),
            path: Some("/run/fifo".to_owned()),
            ..of(10, FileKind::Fifo)
        },
        of(11, FileKind::Eventfd),
        of(12, FileKind::Unknown),
    ];
    assert_eq!(process.files, files);
    assert_eq!(found.processes[1].files, files, "they share a table");
}

#[test]
fn lists_sockets_with_addresses_and_states() {
    let found = look(&members());
    let of = |fd, family| OpenSocket {
        fd,
        ..OpenSocket::of(family)
    };
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        OpenSocket {
            protocol: text("tcp"),
            state: text("established"),
            local: text("10.0.0.7:8080"),
            remote: text("127.0.0.1:40000"),
            send_buffer: Some(16_384),
            receive_buffer: Some(131_072),
            ..of(5, SocketFamily::Inet)
        },
        OpenSocket {
            protocol: text("tcp"),
            state: text("listening"),
            local: text("[::1]:443"),
            ..of(6, SocketFamily::Inet6)
        },
        OpenSocket {
            protocol: text("stream"),
            state: text("listening"),
            local: text("/run/app.sock"),
            ..of(7, SocketFamily::Unix)
        },
        OpenSocket {
            protocol: text("stream"),
            state: text("listening"),
            local: text("@inner"),
            ..of(8, SocketFamily::Unix)
        },
    ];
    assert_eq!(found.processes[0].sockets, expected);
}

#[test]
fn reads_the_statistics_of_the_dump() {
    let expected = DumpStatistics {
        freezing_us: 10,
        frozen_us: 2000,
        memory_dump_us: 300,
        memory_write_us: 40,
        pages_scanned: 50,
        pages_skipped: 6,
        pages_written: 8,
        pages_lazy: 0,
    };
    assert_eq!(look(&members()).statistics, Some(expected));
}

#[test]
fn masks_secrets_in_arguments_and_annotations() {
    let mut specimen = Specimen::new(vec!["PATH=/bin".to_owned()]);
    specimen.processes[0].arguments = vec!["/app".to_owned(), format!("--token={TOKEN}")];
    let found = look(&specimen.members(Runtime::CriO));
    let masked = format!("--token={}", "*".repeat(TOKEN.len()));
    assert_eq!(
        found.processes[0].arguments.as_deref().unwrap(),
        ["/app", &masked]
    );
    let pod = "io.kubernetes.cri.sandbox-name";
    assert_eq!(found.annotations[pod], "cart-0");
}

#[test]
fn masks_values_of_variables_in_arguments() {
    let secret = "battery-staple-7";
    let mut specimen = Specimen::new(vec![format!("DB_PASSWORD={secret}")]);
    specimen.processes[1].arguments = vec!["psql".to_owned(), format!("-p{secret}")];
    let found = look(&specimen.members(Runtime::Containerd));
    let arguments = found.processes[1].arguments.as_deref().unwrap();
    assert_eq!(arguments, ["psql", "-p****************"]);
    assert!(!format!("{found:?}").contains(secret));
}

#[test]
fn many_descriptors_give_a_bounded_answer() {
    let mut members = members();
    let table: Vec<_> = (0..5000)
        .map(|fd| message(&[(1, 3), (2, 0), (3, 1), (4, fd)]))
        .collect();
    for (name, bytes) in &mut members {
        if name == "checkpoint/fdinfo-4.img" {
            *bytes = image(&table);
        }
    }
    let found = look(&members);
    assert_eq!(found.processes[0].files.len(), 1000);
    assert!(found.truncated);
}

#[test]
fn damaged_tables_are_named_and_the_rest_is_read() {
    for name in ["files", "fdinfo-4", "ids-1", "fs-1"] {
        let mut members = members();
        let name = format!("checkpoint/{name}.img");
        let damaged = members.iter_mut().find(|(member, _)| *member == name);
        damaged.unwrap().1 = b"\xff".repeat(100);
        let found = look(&members);
        assert_eq!(found.unreadable, [name]);
        assert_eq!(found.processes.len(), 2);
    }
}
