//! Sockets in `files.img`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use gateway_core::{OpenSocket, SocketFamily};

use super::text::TextBudget;
use crate::criu::{bytes_in, number_in, numbers_in};

/// Bytes of a unix socket's name; the kernel's bound is 108.
const MAX_NAME: usize = 256;
const AF_INET6: u64 = 10;
const TCP: u64 = 6;

/// An `inet_sk_entry`: 3 `family`, 4 `type`, 5 `proto`, 6 `state`, 7 and 8 the ports, 11 and 12 the addresses, 14 the options.
pub(super) fn inet(socket: &[u8]) -> OpenSocket {
    let number = |field| number_in(socket, field).unwrap_or_default();
    let is_v6 = number(3) == AF_INET6;
    let protocol = number(5);
    let address = |port, words| {
        let words = numbers_in(socket, words, 4);
        endpoint(is_v6, &words, number(port))
    };
    let state = (protocol == TCP).then(|| tcp_state(number(6)));
    OpenSocket {
        protocol: Some(ip_protocol(protocol)),
        state: state.flatten().map(str::to_owned),
        local: address(7, 11).map(|address| address.to_string()),
        remote: address(8, 12)
            .filter(|address| address.port() > 0)
            .map(|address| address.to_string()),
        ..with_buffers(
            if is_v6 {
                SocketFamily::Inet6
            } else {
                SocketFamily::Inet
            },
            bytes_in(socket, 14),
        )
    }
}

/// A `unix_sk_entry`: 3 `type`, 4 `state`, 10 the options, 11 `name`, 14 `name_dir`.
pub(super) fn unix(socket: &[u8], texts: &mut TextBudget) -> OpenSocket {
    let name = bytes_in(socket, 11).unwrap_or_default();
    let name = match name.strip_prefix(b"\0") {
        Some(abstracted) => [b"@", abstracted].concat(),
        None => name
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default()
            .to_vec(),
    };
    let folder = bytes_in(socket, 14).filter(|_| !name.is_empty());
    let path = match folder {
        Some(folder) => [folder, b"/", &name].concat(),
        None => name,
    };
    let local = Some(path).filter(|path| !path.is_empty());
    OpenSocket {
        protocol: number_in(socket, 3).map(unix_type),
        state: number_in(socket, 4).and_then(tcp_state).map(str::to_owned),
        local: local.and_then(|path| texts.masked_line(&path, MAX_NAME)),
        ..with_buffers(SocketFamily::Unix, bytes_in(socket, 10))
    }
}

/// A `netlink_sk_entry`: 3 `protocol`, 12 the options.
pub(super) fn netlink(socket: &[u8]) -> OpenSocket {
    OpenSocket {
        protocol: number_in(socket, 3).map(|number| match number {
            0 => "route".to_owned(),
            4 => "sock-diag".to_owned(),
            9 => "audit".to_owned(),
            15 => "kobject-uevent".to_owned(),
            16 => "generic".to_owned(),
            other => other.to_string(),
        }),
        ..with_buffers(SocketFamily::Netlink, bytes_in(socket, 12))
    }
}

/// A `packet_sock_entry`: 3 `protocol`.
pub(super) fn packet(socket: &[u8]) -> OpenSocket {
    OpenSocket {
        protocol: number_in(socket, 3).map(|number| number.to_string()),
        ..OpenSocket::of(SocketFamily::Packet)
    }
}

/// With the sizes in a `sk_opts_entry`: 1 `so_sndbuf`, 2 `so_rcvbuf`.
fn with_buffers(family: SocketFamily, options: Option<&[u8]>) -> OpenSocket {
    OpenSocket {
        send_buffer: options.and_then(|options| number_in(options, 1)),
        receive_buffer: options.and_then(|options| number_in(options, 2)),
        ..OpenSocket::of(family)
    }
}

/// Addresses are in words whose bytes are in the network's order.
fn endpoint(is_v6: bool, words: &[u64], port: u64) -> Option<SocketAddr> {
    let bytes: Vec<u8> = words
        .iter()
        .filter_map(|word| u32::try_from(*word).ok())
        .flat_map(u32::to_le_bytes)
        .collect();
    let address = if is_v6 {
        IpAddr::from(Ipv6Addr::from(*bytes.first_chunk::<16>()?))
    } else {
        IpAddr::from(Ipv4Addr::from(*bytes.first_chunk::<4>()?))
    };
    Some(SocketAddr::new(address, u16::try_from(port).ok()?))
}

fn ip_protocol(number: u64) -> String {
    match number {
        1 => "icmp".to_owned(),
        TCP => "tcp".to_owned(),
        17 => "udp".to_owned(),
        58 => "icmpv6".to_owned(),
        136 => "udplite".to_owned(),
        other => other.to_string(),
    }
}

fn unix_type(number: u64) -> String {
    match number {
        1 => "stream".to_owned(),
        2 => "datagram".to_owned(),
        5 => "seqpacket".to_owned(),
        other => other.to_string(),
    }
}

/// The kernel's states of TCP (`include/net/tcp_states.h`), which unix sockets use, too.
fn tcp_state(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "established",
        2 => "syn-sent",
        3 => "syn-received",
        4 => "fin-wait-1",
        5 => "fin-wait-2",
        6 => "time-wait",
        7 => "closed",
        8 => "last-ack",
        9 => "close-wait",
        10 => "listening",
        11 => "closing",
        _ => return None,
    })
}
