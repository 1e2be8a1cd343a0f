//! Connections are bounded in number, time and size.

use std::time::Instant;

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::world::{PATH, set};
use crate::support::{World, in_time};

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let world = World::new().await;
    for alpn in ["h2", "http/1.1"] {
        let ca = world.credentials.authority.pem();
        let client = world.client("alice").with_protocols(ca, &[alpn]);
        let stream = client.connect().await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn.as_bytes()));
        assert_eq!(client.post(PATH).await.status, StatusCode::OK, "{alpn}");
        assert_eq!(
            client.post("/checkpoint/shop/%2e%2e/app").await.status,
            StatusCode::BAD_REQUEST,
            "{alpn}"
        );
    }
}

#[tokio::test]
async fn a_peer_that_does_not_shake_hands_is_let_go() {
    let world = World::with(|config| set(config, "limits.handshake-seconds", 1)).await;
    let mut stream = TcpStream::connect(world.gateway.address).await.unwrap();
    let begun = Instant::now();
    assert_eq!(
        in_time(stream.read(&mut [0; 16])).await.unwrap_or_default(),
        0
    );
    assert!(
        begun.elapsed().as_secs_f64() > 0.9,
        "the timer is what ended it"
    );
    world
        .gateway
        .counted("checkpoint_gateway_tls_handshakes_failed_total", 1.0)
        .await;
}

#[tokio::test]
async fn headers_that_do_not_come_end_the_connection() {
    let world = World::with(|config| set(config, "limits.header-seconds", 1)).await;
    let mut stream = world.anonymous().connect().await.unwrap();
    stream
        .write_all(b"POST /checkpoint/shop/cart-0/app HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let _ = in_time(stream.read_to_end(&mut rest)).await;
    assert_eq!(world.runtime_calls(), 0);
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_the_request() {
    let world = World::with(|config| set(config, "limits.header-seconds", 1)).await;
    let token = world.credentials.token("alice");
    let mut stream = world.anonymous().connect().await.unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 9\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    in_time(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(world.runtime_calls(), 0);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let world = World::with(|config| set(config, "limits.idle-seconds", 1)).await;
    let ca = world.credentials.authority.pem();
    for alpn in ["h2", "http/1.1"] {
        let mut stream = world
            .anonymous()
            .with_protocols(ca, &[alpn])
            .connect()
            .await
            .unwrap();
        if alpn == "h2" {
            stream
                .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
                .await
                .unwrap();
        }
        let _ = in_time(stream.read_to_end(&mut Vec::new())).await;
    }
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let world = World::with(|config| set(config, "limits.header-bytes", 8192)).await;
    let ca = world.credentials.authority.pem();
    for alpn in ["h2", "http/1.1"] {
        let client = world
            .client("alice")
            .with_protocols(ca, &[alpn])
            .with_header("x-large", &"x".repeat(20_000));
        let refused = client.try_send(Method::POST, PATH, Bytes::new()).await;
        assert!(
            refused.is_err_and(|_| true) || refused_status(&client).await,
            "{alpn}"
        );
    }
    assert_eq!(world.runtime_calls(), 0);
}

async fn refused_status(client: &crate::support::Client) -> bool {
    let answer = client.try_send(Method::POST, PATH, Bytes::new()).await;
    answer.is_ok_and(|answer| answer.status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_a_place() {
    let world = World::with(|config| set(config, "limits.connections", 1)).await;
    let first = world.anonymous().connect().await.unwrap();
    let client = world.client("alice");
    let mut second = Box::pin(client.get("/v1/whoami"));
    let both = async {
        tokio::select! {
            biased;
            answer = &mut second => panic!("it did not wait: {answer:?}"),
            connections = world.gateway.metric("checkpoint_gateway_connections") => assert!(connections <= 1.0),
        }
        drop(first);
        second.await
    };
    assert_eq!(in_time(both).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_tls_gets_no_answer() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.gateway.address).await.unwrap();
    stream
        .write_all(b"POST /checkpoint/shop/cart-0/app HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = in_time(stream.read_to_end(&mut answer)).await;
    assert!(
        !String::from_utf8_lossy(&answer).contains("HTTP/"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_oldest_version_of_tls_is_what_the_configuration_says() {
    use rustls::ProtocolVersion;
    let world = World::with(|config| set(config, "tls.minimum-version", "1.3")).await;
    let stream = world.anonymous().connect().await.unwrap();
    assert_eq!(
        stream.get_ref().1.protocol_version(),
        Some(ProtocolVersion::TLSv1_3)
    );
    let old = Command::of(&world, "-tls1_2").await;
    assert!(!old, "TLS 1.2 was spoken");
    let world = World::new().await;
    assert!(
        Command::of(&world, "-tls1_2").await,
        "TLS 1.2 was not spoken"
    );
    assert!(!Command::of(&world, "-tls1_1").await, "TLS 1.1 was spoken");
}

/// openssl, as another implementation at the other end.
struct Command;

impl Command {
    async fn of(world: &World, version: &str) -> bool {
        let address = world.gateway.address.to_string();
        let output = tokio::process::Command::new("openssl")
            .args([
                "s_client",
                "-connect",
                &address,
                version,
                "-cipher",
                "ALL:@SECLEVEL=0",
            ])
            .stdin(std::process::Stdio::null())
            .output();
        let output = in_time(output)
            .await
            .expect("openssl is on every machine that this project knows");
        String::from_utf8_lossy(&output.stdout).contains("BEGIN CERTIFICATE")
    }
}
