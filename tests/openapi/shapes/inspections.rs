//! What an inspection tells, with all that it can have.

use gateway_core::{
    Criu, Dialect, DumpStatistics, FileAccess, FileKind, Finding, FindingCode, InspectedContainer,
    Inspection, Member, Mount, OpenFile, OpenSocket, Process, ProcessState, Severity, Sizes,
    SocketFamily,
};

use super::{at, text, texts};

pub(super) fn inspection() -> Inspection {
    Inspection {
        dialect: Some(Dialect::CriO),
        container: inspected(),
        criu: Criu {
            image_version: Some(1),
            version: Some(text()),
            host: Some(text()),
            architecture: Some(text()),
        },
        env: vec![text()],
        mounts: vec![Mount {
            destination: text(),
            kind: Some(text()),
            source: Some(text()),
        }],
        annotations: texts(),
        statistics: Some(DumpStatistics::default()),
        processes: vec![process()],
        sizes: Sizes {
            archive: 1,
            memory: 1,
            rootfs_diff: Some(1),
            rootfs_files: Some(1),
        },
        members: vec![Member {
            name: text(),
            bytes: 1,
        }],
        member_count: 1,
        truncated: true,
        unreadable: vec![text()],
        findings: vec![finding()],
    }
}

pub(super) fn finding() -> Finding {
    Finding {
        severity: Severity::Fatal,
        code: FindingCode::PageCount,
        place: text(),
        message: text(),
    }
}

pub(super) fn inspected() -> InspectedContainer {
    InspectedContainer {
        id: Some(text()),
        runtime_name: Some(text()),
        name: Some(text()),
        pod: Some(text()),
        namespace: Some(text()),
        image: Some(text()),
        image_name: Some(text()),
        image_ref: Some(text()),
        oci_runtime: Some(text()),
        runtime_class: Some(text()),
        created_at: Some(at()),
        checkpointed_at: Some(at()),
    }
}

pub(super) fn process() -> Process {
    Process {
        pid: 1,
        parent: 0,
        command: Some(text()),
        threads: 1,
        state: Some(ProcessState::Stopped),
        executable: Some(text()),
        cwd: Some(text()),
        root: Some(text()),
        arguments: Some(vec![text()]),
        env: Some(vec![text()]),
        files: vec![open_file()],
        sockets: vec![open_socket()],
    }
}

pub(super) fn open_file() -> OpenFile {
    OpenFile {
        fd: 1,
        kind: FileKind::File,
        path: Some(text()),
        access: Some(FileAccess::ReadWrite),
        position: Some(1),
        bytes: Some(1),
        pipe: Some(1),
        watches: Some(1),
    }
}

pub(super) fn open_socket() -> OpenSocket {
    OpenSocket {
        fd: 1,
        family: SocketFamily::Inet6,
        protocol: Some(text()),
        state: Some(text()),
        local: Some(text()),
        remote: Some(text()),
        send_buffer: Some(1),
        receive_buffer: Some(1),
    }
}
